import { setup } from 'xstate';

/** What a server may say before it is initialized, and at any time. */
const words = <S extends string>(state: S) => ({ 'server.LOG': state, 'server.SHOW': state }) as const;

/** Answers to what was asked before, whichever it was: the ids are checked beside the machine. */
const answers = <S extends string>(state: S) =>
  ({ 'server.RESULT': state, 'server.ERROR': state, 'server.INVALID': state, ...words(state) }) as const;

/** Both ends ask and tell, side by side. */
const talk = <S extends string>(state: S) =>
  ({
    ...answers(state),
    ...{ 'client.REQUEST': state, 'client.NOTIFY': state, 'client.RESULT': state, 'client.ERROR': state },
    ...{ 'client.INITIALIZE': state, 'server.REQUEST': state, 'server.NOTIFY': state },
    ...{ 'client.SHUTDOWN': '#down', 'client.EXIT': '#closed' },
  }) as const;

/** The order of LSP 3.17: its life cycle, and in between whatever is asked and told. */
export const lspMachine = setup({
  types: {
    events: {} as {
      type:
        | `transport.${'accept' | 'end' | 'timeout'}`
        | `client.${'INITIALIZE' | 'INITIALIZED' | 'SHUTDOWN' | 'EXIT' | 'REQUEST' | 'NOTIFY' | 'RESULT' | 'ERROR'}`
        | `server.${'RESULT' | 'ERROR' | 'EARLY' | 'INVALID' | 'REQUEST' | 'NOTIFY' | 'LOG' | 'SHOW'}`;
    },
    tags: {} as 'client' | 'server' | 'handshake',
  },
}).createMachine({
  id: 'lsp',
  description: 'Requests and notifications between initialize and shutdown.',
  initial: 'starting',
  on: { 'transport.end': '.closed', 'transport.timeout': '.closed' },
  states: {
    starting: { on: { 'transport.accept': 'fresh' } },
    fresh: {
      meta: { clause: 'Before initialize, a request is answered with -32002, and a notification dropped.' },
      initial: 'idle',
      states: {
        idle: {
          on: {
            'client.INITIALIZE': 'initializing',
            'client.REQUEST': 'refusing',
            'client.SHUTDOWN': 'refusing',
            'client.NOTIFY': 'idle',
            'client.INITIALIZED': 'idle',
            'client.EXIT': '#closed',
            ...words('idle'),
          },
        },
        refusing: { tags: 'server', on: { 'server.EARLY': 'idle', ...words('refusing') } },
        initializing: {
          tags: 'server',
          on: { 'server.RESULT': '#ready', 'server.ERROR': 'idle', ...words('initializing') },
        },
      },
    },
    ready: {
      id: 'ready',
      meta: { clause: 'initialized comes before anything else; a second initialize is refused.' },
      on: { ...talk('ready'), 'client.INITIALIZED': 'running' },
    },
    running: { on: talk('running') },
    down: {
      id: 'down',
      meta: { clause: 'After shutdown every request is answered with -32600, and exit alone is heard.' },
      initial: 'idle',
      states: {
        idle: {
          on: {
            ...answers('idle'),
            ...{
              'client.REQUEST': 'refusing',
              'client.INITIALIZE': 'refusing',
              'client.SHUTDOWN': 'refusing',
            },
            ...{ 'client.NOTIFY': 'idle', 'client.RESULT': 'idle', 'client.ERROR': 'idle' },
            'client.EXIT': '#closed',
          },
        },
        refusing: { tags: 'server', on: { 'server.INVALID': 'idle', ...words('refusing') } },
      },
    },
    closed: { id: 'closed', type: 'final' },
  },
});
