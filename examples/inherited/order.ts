import { createMachine } from 'xstate';
import declared from './frames.ts';

export const machine = createMachine({
  id: 'barrier',
  initial: 'unconnected',
  on: { 'transport.end': '.closed', 'transport.timeout': '.closed' },
  states: {
    unconnected: { on: { 'transport.accept': 'strange' } },
    strange: { on: { 'client.HELLO': 'strange_HELLO', 'client.QUIT': 'leaving' } },
    strange_HELLO: { tags: ['server'], on: { 'server.OK': 'greeted' } },
    greeted: { on: { 'client.PIN': 'greeted_PIN', 'client.QUIT': 'leaving' } },
    greeted_PIN: { tags: ['server'], on: { 'server.OK': 'trusted', 'server.NO': 'greeted' } },
    trusted: { on: { 'client.OPEN': 'trusted_OPEN', 'client.QUIT': 'leaving' } },
    trusted_OPEN: { tags: ['server'], on: { 'server.OK': 'trusted' } },
    leaving: { tags: ['server'], on: { 'server.BYE': 'closed' } },
    closed: { type: 'final' },
  },
});

export const answers = {
  HELLO: { '': 'server.OK' },
  PIN: { '': 'server.OK' },
  'PIN/wrong': { '': 'server.NO' },
  OPEN: { '': 'server.OK' },
  QUIT: { '': 'server.BYE' },
};

export default declared.ordered({ machine, answers });
