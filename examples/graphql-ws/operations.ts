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

/** Runs the operations of a client on a schema, many at once. */
export function operations(schema: GraphQLSchema): MakeHandlers<typeof graphqlTransport.frames> {
  return (session) => {
    /** Those under way, by their ids. */
    const running = new Map<string, Results | undefined>();
    const run = async ({ id, payload }: Subscribe) => {
      for await (const { errors, result } of resultsOf(schema, payload, (results) =>
        running.set(id, results),
      )) {
        if (!running.has(id)) return;
        if (errors !== undefined) {
          running.delete(id);
          session.push({ type: 'server.ERROR', id, payload: errors });
          return;
        }
        // Who does not read is not written to without end.
        if (!session.push({ type: 'server.NEXT', id, payload: { ...result } }))
          return session.close(undefined, 'slow');
      }
      if (running.delete(id)) session.push({ type: 'server.COMPLETE', id });
    };
    return {
      INIT: () => ({ type: 'server.ACK' }),
      PING: ({ payload }) => ({ type: 'server.PONG', payload }),
      PONG: () => undefined,
      SUBSCRIBE(message) {
        if (running.has(message.id)) return { type: 'server.EXISTS' };
        running.set(message.id, undefined);
        run(message).catch((error: unknown) => {
          if (!running.delete(message.id)) return;
          const { message: text } = error instanceof Error ? error : new Error(String(error));
          session.push({ type: 'server.ERROR', id: message.id, payload: [{ message: text }] });
        });
        return undefined;
      },
      COMPLETE({ id }) {
        const results = running.get(id);
        running.delete(id);
        void results?.return();
        return undefined;
      },
      ended() {
        for (const results of running.values()) void results?.return();
        running.clear();
      },
    };
  };
}

/** What an operation answers: its results, or once why it cannot be run. */
async function* resultsOf(
  schema: GraphQLSchema,
  { query, variables, operationName }: Subscribe['payload'],
  begun: (results: Results) => void,
): AsyncGenerator<{ readonly errors?: unknown[]; readonly result?: ExecutionResult }> {
  let document: ReturnType<typeof parse>;
  try {
    document = parse(query);
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
  begun(outcome);
  for await (const result of outcome) yield { result };
}
