import {
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
  parse,
  subscribe,
  validate,
} from 'graphql';
import type { ClientMessage, MakeHandlers } from 'wirechart';
import type { graphqlTransport } from './protocol.ts';

type Subscribe = Extract<ClientMessage<typeof graphqlTransport>, { readonly type: 'client.SUBSCRIBE' }>;
type Results = AsyncGenerator<ExecutionResult, void, void>;

export interface OperationsOptions {
  /** Operations of a client at once, those included that it has given up and that have not ended yet. Default: 100. */
  readonly most?: number;
  /** Tokens of a query: to validate one takes time that grows with their square. Default: 1,000. */
  readonly maxTokens?: number;
}

/** Runs the operations of a client on a schema, many at once. */
export function operations(
  schema: GraphQLSchema,
  { most = 100, maxTokens = 1000 }: OperationsOptions = {},
): MakeHandlers<typeof graphqlTransport.frames> {
  return (session) => {
    /** Those under way, by their ids. */
    const running = new Map<string, { results?: Results }>();
    let alive = 0;
    const fail = (id: string, message: string) =>
      session.push({ type: 'server.ERROR', id, payload: [{ message }] });
    const run = async ({ id, payload }: Subscribe, own: { results?: Results }) => {
      // Its id may have been given to another meanwhile.
      const isGivenUp = () => running.get(id) !== own;
      for await (const { errors, result } of resultsOf(schema, payload, maxTokens, own)) {
        if (isGivenUp()) return;
        if (errors !== undefined) {
          running.delete(id);
          session.push({ type: 'server.ERROR', id, payload: errors });
          return;
        }
        // Who does not read is not written to without end.
        if (!session.push({ type: 'server.NEXT', id, payload: { ...result } }))
          return session.close(undefined, 'slow');
      }
      if (isGivenUp()) return;
      running.delete(id);
      session.push({ type: 'server.COMPLETE', id });
    };
    return {
      INIT: () => ({ type: 'server.ACK' }),
      PING: ({ payload }) => ({ type: 'server.PONG', payload }),
      PONG: () => undefined,
      SUBSCRIBE(message) {
        const { id } = message;
        if (running.has(id)) return { type: 'server.EXISTS' };
        if (alive >= most) {
          fail(id, `more than ${most} operations at once`);
          return undefined;
        }
        const own = {};
        running.set(id, own);
        alive++;
        run(message, own)
          .catch((error: unknown) => {
            if (running.get(id) !== own) return;
            running.delete(id);
            fail(id, error instanceof Error ? error.message : String(error));
          })
          .finally(() => alive--);
        return undefined;
      },
      COMPLETE({ id }) {
        const { results } = running.get(id) ?? {};
        running.delete(id);
        void results?.return();
        return undefined;
      },
      ended() {
        for (const { results } of running.values()) void results?.return();
        running.clear();
      },
    };
  };
}

/** What an operation answers: its results, or once why it cannot be run. */
async function* resultsOf(
  schema: GraphQLSchema,
  { query, variables, operationName }: Subscribe['payload'],
  maxTokens: number,
  own: { results?: Results },
): AsyncGenerator<{ readonly errors?: unknown[]; readonly result?: ExecutionResult }> {
  let document: ReturnType<typeof parse>;
  try {
    document = parse(query, { maxTokens });
  } catch (error) {
    yield { errors: [error instanceof GraphQLError ? error.toJSON() : { message: 'no GraphQL' }] };
    return;
  }
  const errors = validate(schema, document);
  if (errors.length > 0) {
    yield { errors: errors.map((error) => error.toJSON()) };
    return;
  }
  const asked = { schema, document, variableValues: variables ?? null, operationName: operationName ?? null };
  const isSubscription = document.definitions.some(
    (definition) => definition.kind === 'OperationDefinition' && definition.operation === 'subscription',
  );
  const outcome = await (isSubscription ? subscribe(asked) : execute(asked));
  if (!(Symbol.asyncIterator in outcome)) {
    yield { result: outcome };
    return;
  }
  own.results = outcome;
  for await (const result of outcome) yield { result };
}
