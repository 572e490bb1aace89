import { setup } from 'xstate';

/** Any moment ends in X: the peer goes, or time runs out. */
const ends = { 'transport.end': '#closed', 'transport.timeout': '#closed' } as const;

/**
 * The order of message-log, C -> N -> P -> M -> M -> ... -> M -> X, and nothing else.
 *
 * While a state is `awaiting` the client owes a message, while it is `judging` the server owes its one-byte
 * reply. Whether a name or a password is any good is no question of order: the handlers answer it, with
 * ACCEPT or REJECT.
 */
export const messageLogMachine = setup({
  types: {
    events: {} as {
      type:
        | 'transport.accept'
        | 'transport.end'
        | 'transport.timeout'
        | 'client.NAME'
        | 'client.PASSWORD'
        | 'client.MESSAGE'
        | 'client.CLOSE'
        | 'server.ACCEPT'
        | 'server.REJECT';
    },
    tags: {} as 'client' | 'server' | 'handshake',
    meta: {} as { clause: string },
  },
}).createMachine({
  id: 'message-log',
  description: 'A client logs in with a name and a password and appends messages to a log on the server.',
  initial: 'C',
  states: {
    C: {
      description: 'Connection accepted',
      meta: { clause: 'C: the transport’s accept, then N, no reply' },
      on: { 'transport.accept': 'N', ...ends },
    },
    N: {
      description: 'Client supplies name',
      meta: { clause: 'N: code 1, payload 1..65535 bytes, first byte not NUL; 0x00, then P' },
      tags: 'handshake',
      on: ends,
      initial: 'awaiting',
      states: {
        awaiting: { tags: 'client', on: { 'client.NAME': 'judging', 'client.CLOSE': '#X' } },
        judging: { tags: 'server', on: { 'server.ACCEPT': '#P', 'server.REJECT': '#closed' } },
      },
    },
    P: {
      id: 'P',
      description: 'Client supplies password',
      meta: { clause: 'P: code 2, the authenticator says yes; 0x00, then M' },
      tags: 'handshake',
      on: ends,
      initial: 'awaiting',
      states: {
        awaiting: { tags: 'client', on: { 'client.PASSWORD': 'judging', 'client.CLOSE': '#X' } },
        judging: { tags: 'server', on: { 'server.ACCEPT': '#M', 'server.REJECT': '#closed' } },
      },
    },
    M: {
      id: 'M',
      description: 'Client supplies message',
      meta: { clause: 'M: code 3, payload 1..65535 bytes, any bytes; 0x00 once it is on the log, stay in M' },
      on: ends,
      initial: 'awaiting',
      states: {
        awaiting: { tags: 'client', on: { 'client.MESSAGE': 'judging', 'client.CLOSE': '#X' } },
        judging: { tags: 'server', on: { 'server.ACCEPT': '#M', 'server.REJECT': '#closed' } },
      },
    },
    X: {
      id: 'X',
      description: 'Client closes connection',
      meta: { clause: 'any state, code 4: 0x00, X, closed; end of stream, reset, timeout: X, no reply' },
      initial: 'judging',
      states: {
        judging: { tags: 'server', on: { 'server.ACCEPT': 'closed', ...ends } },
        closed: { id: 'closed', type: 'final' },
      },
    },
  },
});
