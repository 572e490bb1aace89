import { setup } from 'xstate';

/**
 * The order of basic-chat: register first; from then on both directions run at once, side by side. What is
 * sent and what is delivered never wait for each other, so a SEND may cross a DELIVER on the wire.
 */
export const basicChatMachine = setup({
  types: {
    events: {} as {
      type:
        | 'transport.accept'
        | 'transport.end'
        | 'transport.timeout'
        | 'client.REGISTER'
        | 'client.SEND'
        | 'client.STATUS'
        | 'server.DELIVER'
        | 'server.OK'
        | 'server.REFUSE';
    },
    tags: {} as 'client' | 'server' | 'handshake',
    meta: {} as { clause: string },
  },
}).createMachine({
  id: 'basic-chat',
  description: 'A chat room: register a name, send messages, acknowledge what the others sent.',
  initial: 'connecting',
  on: { 'transport.end': '.closed', 'transport.timeout': '.closed' },
  states: {
    connecting: {
      description: 'No connection yet',
      on: { 'transport.accept': 'unregistered' },
    },
    unregistered: {
      description: 'Nothing but REGISTER',
      meta: { clause: 'The first message must be REGISTER. Anything else: error status, then closed.' },
      tags: 'handshake',
      initial: 'awaiting',
      states: {
        awaiting: {
          description: 'The client owes its REGISTER',
          tags: 'client',
          on: { 'client.REGISTER': 'judging', 'server.REFUSE': '#closed' },
        },
        judging: {
          description: 'The server owes the STATUS of the REGISTER',
          tags: 'server',
          on: { 'server.OK': '#registered', 'server.REFUSE': '#closed' },
        },
      },
    },
    registered: {
      id: 'registered',
      description: 'In the room',
      type: 'parallel',
      states: {
        sending: {
          description: 'From the client to the room',
          meta: { clause: 'SEND is answered by STATUS, and delivered to every other registered client.' },
          initial: 'idle',
          states: {
            idle: {
              description: 'The client may SEND',
              on: { 'client.SEND': 'judging', 'server.REFUSE': '#closed' },
            },
            judging: {
              description: 'The server owes the STATUS of a SEND',
              tags: 'server',
              on: { 'server.OK': 'idle', 'server.REFUSE': 'idle' },
            },
          },
        },
        delivering: {
          description: 'From the room to the client',
          meta: {
            clause:
              'Each DELIVER is answered by the client’s STATUS; the server sends no further DELIVER before it.',
          },
          initial: 'idle',
          states: {
            idle: { description: 'The server may DELIVER', on: { 'server.DELIVER': 'unacknowledged' } },
            unacknowledged: {
              description: 'The client owes the STATUS of a DELIVER',
              tags: 'client',
              on: { 'client.STATUS': 'idle' },
            },
          },
        },
      },
    },
    closed: { id: 'closed', description: 'Left, for any cause', type: 'final' },
  },
});
