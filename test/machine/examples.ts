import { createMachine } from 'xstate';
import { accountChatMachine } from '../../src/protocols/account-chat/machine.ts';
import { basicChatMachine } from '../../src/protocols/basic-chat/machine.ts';
import { messageLogMachine } from '../../src/protocols/message-log/machine.ts';

/** One state after the other, and back. */
export const flat = createMachine({
  id: 'flat',
  initial: 'a',
  states: {
    a: { tags: 'client', on: { 'client.GO': 'b', 'client.STAY': 'a' } },
    b: {
      tags: ['server', 'handshake'],
      meta: { clause: '§ b' },
      on: { 'server.BACK': 'a', 'server.END': 'c' },
    },
    c: { type: 'final' },
  },
});

/** Parents handle what their children do not; a child can forbid what its parent allows. */
export const hierarchical = createMachine({
  id: 'hierarchical',
  initial: 'outer',
  on: { 'transport.end': '.gone' },
  states: {
    outer: {
      initial: 'one',
      on: {
        'client.SKIP': '#other',
        'client.RESET': { target: '.one', reenter: true },
        'client.KEEP': '.deep',
      },
      states: {
        one: { on: { 'client.NEXT': 'deep' } },
        deep: {
          initial: 'x',
          states: {
            x: { on: { 'client.NEXT': 'y', 'client.SKIP': {} } },
            y: { on: { 'client.NEXT': '#other', 'client.RESET': undefined } },
          },
        },
      },
    },
    other: {
      id: 'other',
      on: { 'server.BACK': 'outer', 'server.INTO': 'outer.deep.y', 'transport.end': {} },
    },
    gone: { type: 'final' },
  },
});

/** Regions side by side, some nested; one event may move several; a region may be entered anew on its own. */
export const parallel = createMachine({
  id: 'parallel',
  initial: 'before',
  states: {
    before: { on: { 'transport.accept': 'both' } },
    both: {
      type: 'parallel',
      on: { 'transport.timeout': 'after' },
      states: {
        left: {
          initial: 'off',
          on: { 'client.LEFT': { target: '.off', reenter: true } },
          states: {
            off: { on: { 'client.FLIP': 'on', 'client.BOTH': 'on' } },
            on: { tags: 'server', on: { 'server.FLIP': 'off', 'client.OUT': '#after' } },
          },
        },
        right: {
          initial: 'up',
          states: {
            up: { on: { 'client.BOTH': 'down' } },
            down: {
              type: 'parallel',
              on: { 'client.BOTH': 'up' },
              states: {
                p: {
                  initial: 'p0',
                  states: { p0: { on: { 'client.P': 'p1' } }, p1: { on: { 'client.P': 'p0' } } },
                },
                q: { initial: 'q0', states: { q0: { on: { 'server.Q': 'q1' } }, q1: { type: 'final' } } },
              },
            },
          },
        },
        still: {},
      },
    },
    after: { id: 'after', on: { 'client.AGAIN': 'both', 'client.END': 'end' } },
    end: { type: 'final' },
  },
});

/** Finals within, each with its `onDone`: of a state, of regions together, one behind the other. */
export const finishing = createMachine({
  id: 'finishing',
  initial: 'login',
  states: {
    login: {
      initial: 'name',
      onDone: 'work',
      states: {
        name: { on: { 'client.NAME': 'password' } },
        password: { on: { 'client.PASSWORD': 'known', 'client.NAME': 'name' } },
        known: { type: 'final' },
      },
    },
    work: {
      type: 'parallel',
      onDone: 'chain',
      states: {
        up: { initial: 'busy', states: { busy: { on: { 'client.DONE': 'done' } }, done: { type: 'final' } } },
        down: {
          initial: 'busy',
          states: { busy: { on: { 'server.DONE': 'done' } }, done: { type: 'final' } },
        },
      },
    },
    chain: {
      initial: 'inner',
      onDone: 'end',
      states: {
        inner: {
          initial: 'i',
          onDone: 'out',
          states: {
            i: { on: { 'client.GO': 'j', 'client.BACK': '#finishing.login' } },
            j: { type: 'final' },
          },
        },
        out: { type: 'final' },
      },
    },
    end: { type: 'final' },
  },
});

/** It rests in a nested final state: over, though XState would still call it active. */
export const resting = createMachine({
  id: 'resting',
  initial: 'a',
  states: {
    a: { on: { 'client.GO': 'z.closed', 'client.TURN': 'a' } },
    z: { initial: 'closed', states: { closed: { type: 'final' } } },
  },
});

export const examples = [flat, hierarchical, parallel, finishing, resting];
export const protocolMachines = [messageLogMachine, basicChatMachine, accountChatMachine];
