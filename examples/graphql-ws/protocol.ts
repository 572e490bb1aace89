import * as v from 'valibot';
import { defineProtocol, type RemoteError } from 'wirechart';
import { closing, inWebSocket, json } from 'wirechart/json';
import { graphqlMachine } from './machine.ts';

const payload = v.optional(v.nullable(v.record(v.string(), v.unknown())));
const id = v.pipe(v.string(), v.nonEmpty());
const options = v.optional(v.nullable(v.record(v.string(), v.unknown())));
const operation = v.object({
  operationName: v.optional(v.nullable(v.string())),
  query: v.string(),
  variables: options,
  extensions: options,
});

/** What an operation answers: errors are those of GraphQL. */
const result = v.looseObject({
  data: v.optional(v.unknown()),
  errors: v.optional(v.pipe(v.array(v.unknown()), v.readonly())),
});

/** Which close status a message at the wrong moment has. */
function status({ received, state }: RemoteError) {
  if (received === 'client.INIT') return { type: 'server.TOO_MANY' } as const;
  return { type: state.startsWith('new') ? 'server.UNAUTHORIZED' : 'server.INVALID' } as const;
}

const invalid = () => ({ type: 'server.INVALID' }) as const;

/** GraphQL over WebSocket. */
export const graphqlTransport = defineProtocol({
  name: 'graphql-transport-ws',
  port: 4000,
  machine: graphqlMachine,
  envelope: inWebSocket('graphql-transport-ws'),
  frames: {
    // Who connects is told here: a token, mostly.
    'client.INIT': json({ type: 'connection_init' }, { schema: v.object({ payload }), secret: ['payload'] }),
    'client.SUBSCRIBE': json({ type: 'subscribe' }, { schema: v.object({ id, payload: operation }) }),
    'client.COMPLETE': json({ type: 'complete' }, { schema: v.object({ id }) }),
    'client.PING': json({ type: 'ping' }, { schema: v.object({ payload }) }),
    'client.PONG': json({ type: 'pong' }, { schema: v.object({ payload }) }),
    'server.ACK': json({ type: 'connection_ack' }, { schema: v.object({ payload }) }),
    'server.NEXT': json({ type: 'next' }, { schema: v.object({ id, payload: result }) }),
    'server.ERROR': json({ type: 'error' }, { schema: v.object({ id, payload: v.array(v.unknown()) }) }),
    'server.COMPLETE': json({ type: 'complete' }, { schema: v.object({ id }) }),
    'server.PING': json({ type: 'ping' }, { schema: v.object({ payload }) }),
    'server.PONG': json({ type: 'pong' }, { schema: v.object({ payload }) }),
    'server.INVALID': closing(4400, 'Invalid message'),
    'server.UNAUTHORIZED': closing(4401, 'Unauthorized'),
    'server.FORBIDDEN': closing(4403, 'Forbidden'),
    'server.TOO_SLOW': closing(4408, 'Connection initialisation timeout'),
    'server.EXISTS': closing(4409, 'Subscriber already exists'),
    'server.TOO_MANY': closing(4429, 'Too many initialisation requests'),
    'server.FAILED': closing(4500, 'Internal server error'),
  },
  violation: { reply: status, closes: true },
  malformed: { reply: invalid, closes: true },
  unreadable: { reply: invalid },
  timeout: () => ({ type: 'server.TOO_SLOW' }),
  failure: () => ({ type: 'server.FAILED' }),
  samples: (unique) => ({
    messages: {
      INIT: { message: { type: 'client.INIT' }, answer: 'server.ACK' },
      PING: { message: { type: 'client.PING' }, answer: 'server.PONG' },
      'PING/payload': {
        message: { type: 'client.PING', payload: { text: unique } },
        answer: { type: 'server.PONG', payload: { text: unique } },
      },
      PONG: { message: { type: 'client.PONG' } },
      SUBSCRIBE: {
        message: { type: 'client.SUBSCRIBE', id: unique, payload: { query: '{ __typename }' } },
        pushes: [
          { type: 'server.NEXT', id: unique, payload: { data: { __typename: 'Query' } } },
          { type: 'server.COMPLETE', id: unique },
        ],
      },
      'SUBSCRIBE/invalid': {
        message: { type: 'client.SUBSCRIBE', id: unique, payload: { query: '{ nothing }' } },
        pushes: [{ type: 'server.ERROR', id: unique }],
      },
      COMPLETE: { message: { type: 'client.COMPLETE', id: unique } },
    },
    // Of messages that may come everywhere: of others it is open whether their order or their form is judged first.
    malformed: {
      'no-id': message({ type: 'complete' }),
      'ping-text': message({ type: 'ping', payload: 'text' }),
    },
  }),
});

/** A text in the envelope in which a WebSocket's messages are known here. */
function message(value: object): Uint8Array {
  const text = Buffer.from(JSON.stringify(value));
  const { size, write } = inWebSocket();
  const bytes = Buffer.alloc(size(text.length));
  bytes.set(text, write(text.length, bytes, 0));
  return bytes;
}
