import { type AnyStateMachine, createMachine } from 'xstate';

/** The machine of whom nobody knows the order: every message may come at any time, and none is owed. */
export function machineOfAnyOrder(id: string, messages: readonly string[]): AnyStateMachine {
  const on = Object.fromEntries(messages.map((type) => [type, 'open']));
  return createMachine({
    id,
    description: 'The order is not known.',
    initial: 'connecting',
    states: {
      connecting: { on: { 'transport.accept': 'open' } },
      open: { on: { ...on, 'transport.end': 'closed', 'transport.timeout': 'closed' } },
      closed: { type: 'final' },
    },
  });
}
