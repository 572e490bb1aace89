import { setup } from 'xstate';

/** Heartbeats may come at any time, from either end; a PING is answered before anything else is. */
const heartbeats = <S extends string, P extends string>(state: S, ponging: P) =>
  ({ 'client.PING': ponging, 'client.PONG': state, 'client.COMPLETE': state, 'server.PING': state }) as const;
const owes = <A extends string, S extends string>(answer: A, state: S, more = {}) =>
  ({ tags: 'server', on: { [answer]: state, ...more } }) as const;

/** What the server says of operations, at any time: which one it is about is in the content. */
const results = <S extends string>(state: S) =>
  ({ 'server.NEXT': state, 'server.ERROR': state, 'server.COMPLETE': state }) as const;

/** The order of graphql-transport-ws. */
export const graphqlMachine = setup({
  types: {
    events: {} as {
      type:
        | `transport.${'accept' | 'end' | 'timeout'}`
        | `client.${'INIT' | 'SUBSCRIBE' | 'COMPLETE' | 'PING' | 'PONG'}`
        | `server.${'ACK' | 'NEXT' | 'ERROR' | 'COMPLETE' | 'PING' | 'PONG'}`
        | `server.${'FORBIDDEN' | 'EXISTS'}`;
    },
    tags: {} as 'client' | 'server' | 'handshake',
  },
}).createMachine({
  id: 'graphql-transport-ws',
  description: 'Operations, many at once, after the connection is acknowledged.',
  initial: 'connecting',
  on: { 'transport.end': '.closed', 'transport.timeout': '.closed' },
  states: {
    connecting: { on: { 'transport.accept': 'new' } },
    new: {
      meta: {
        clause: 'ConnectionInit: no operation before it is acknowledged (4401), no second one (4429).',
      },
      tags: 'handshake',
      initial: 'waiting',
      states: {
        waiting: { on: { 'client.INIT': 'judging', ...heartbeats('waiting', 'ponging') } },
        ponging: owes('server.PONG', 'waiting'),
        judging: owes('server.ACK', '#open', { 'server.FORBIDDEN': '#closed' }),
      },
    },
    open: {
      id: 'open',
      meta: { clause: 'Subscribe: an id that is in use closes (4409); Complete of any other id is ignored.' },
      initial: 'idle',
      states: {
        idle: {
          on: {
            'client.SUBSCRIBE': 'idle',
            ...heartbeats('idle', 'ponging'),
            ...results('idle'),
            'server.EXISTS': '#closed',
          },
        },
        ponging: owes('server.PONG', 'idle', results('ponging')),
      },
    },
    closed: { id: 'closed', type: 'final' },
  },
});
