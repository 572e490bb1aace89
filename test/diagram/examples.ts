import { setup } from 'xstate';

type Meta = { clause: string };

/** Flat: one conversation, a self loop, an edge declared at the root. */
export const door = setup({
  types: { events: {} as { type: 'client.OPEN' | 'client.KNOCK' | 'client.SHUT' | 'transport.end' } },
}).createMachine({
  id: 'door',
  description: 'A door that <opens> & "shuts".',
  initial: 'shut',
  states: {
    shut: { description: 'nobody; comes: in', on: { 'client.OPEN': 'open', 'client.KNOCK': 'shut' } },
    open: { on: { 'client.SHUT': 'shut' } },
    gone: { type: 'final' },
  },
  on: { 'transport.end': '.gone' },
});

/** Hierarchical: who owes the next message is a child state. The message-log protocol, in the shape of its document. */
export const dialogue = setup({
  types: {
    meta: {} as Meta,
    events: {} as {
      type:
        | 'transport.accept'
        | 'transport.end'
        | 'transport.timeout'
        | `client.${'NAME' | 'PASSWORD' | 'MESSAGE' | 'CLOSE'}`
        | `server.${'ACCEPT' | 'REJECT'}`;
    },
    tags: {} as 'client' | 'server',
  },
}).createMachine({
  id: 'dialogue',
  description: 'A client logs in with a name and a password and appends messages to a log.',
  initial: 'C',
  states: {
    C: { description: 'connection accepted', on: { 'transport.accept': 'N' } },
    N: {
      description: 'client supplies name',
      meta: { clause: 'N: code 1, payload 1..65535 bytes' },
      initial: 'awaiting',
      states: {
        awaiting: { tags: 'client', on: { 'client.NAME': 'judging', 'client.CLOSE': '#dialogue.X' } },
        judging: { tags: 'server', on: { 'server.ACCEPT': '#dialogue.P', 'server.REJECT': '#dialogue.X' } },
      },
    },
    P: {
      description: 'client supplies password',
      initial: 'awaiting',
      states: {
        awaiting: { tags: 'client', on: { 'client.PASSWORD': 'judging', 'client.CLOSE': '#dialogue.X' } },
        judging: { tags: 'server', on: { 'server.ACCEPT': '#dialogue.M', 'server.REJECT': '#dialogue.X' } },
      },
    },
    M: {
      description: 'client supplies message',
      initial: 'awaiting',
      states: {
        awaiting: { tags: 'client', on: { 'client.MESSAGE': 'judging', 'client.CLOSE': '#dialogue.X' } },
        judging: { tags: 'server', on: { 'server.ACCEPT': 'awaiting', 'server.REJECT': '#dialogue.X' } },
      },
    },
    X: {
      description: 'client closes connection',
      initial: 'closing',
      states: { closing: { tags: 'server', on: { 'server.ACCEPT': 'closed' } }, closed: { type: 'final' } },
    },
  },
  on: { 'transport.end': '.X.closed', 'transport.timeout': '.X.closed' },
});

/** Parallel: both directions at once inside one state. */
export const room = setup({
  types: {
    events: {} as {
      type:
        | `client.${'REGISTER' | 'SEND' | 'STATUS'}`
        | `server.${'OK' | 'ERROR' | 'DELIVER' | 'STATUS'}`
        | 'transport.end';
    },
    tags: {} as 'client' | 'server',
  },
}).createMachine({
  id: 'room',
  initial: 'outside',
  states: {
    outside: { tags: 'client', description: 'before registration', on: { 'client.REGISTER': 'asking' } },
    asking: { tags: 'server', on: { 'server.OK': 'inside', 'server.ERROR': 'left' } },
    inside: {
      description: 'registered',
      type: 'parallel',
      states: {
        sending: {
          initial: 'idle',
          states: {
            idle: { tags: 'client', on: { 'client.SEND': 'pending' } },
            pending: { tags: 'server', on: { 'server.STATUS': 'idle' } },
          },
        },
        receiving: {
          initial: 'idle',
          states: {
            idle: { tags: 'server', on: { 'server.DELIVER': 'pending' } },
            pending: { tags: 'client', on: { 'client.STATUS': 'idle' } },
          },
        },
      },
    },
    left: { type: 'final', description: 'connection closed' },
  },
  on: { 'transport.end': '.left' },
});
