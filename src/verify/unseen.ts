import { step } from '../machine/table.ts';
import type { Dialogue } from './dialogue.ts';
import type { Projection } from './project.ts';

/** What a run never saw, and can say nothing of. */
export interface Unseen {
  /** States of the machine that were never entered, by name. */
  readonly states: readonly string[];
  /** Types of the server's messages that never came. */
  readonly messages: readonly string[];
}

/** What did not show in any of these dialogues, as far as they were right. */
export function unseenOf(
  { protocol, inputs, effect }: Projection,
  dialogues: readonly Pick<Dialogue, 'test' | 'exchanges'>[],
): Unseen {
  const { table, frames } = protocol;
  const states = new Set([table.initial]);
  const messages = new Set<string>();
  for (const { test, exchanges } of dialogues) {
    states.add(step(table, table.initial, table.events.indexOf('transport.accept')));
    let index = 0;
    for (const { input, expected, observed, besides, agreement } of exchanges) {
      for (const { type } of observed.messages) messages.add(type);
      for (const type of besides) messages.add(type);
      const [from = -1, number = -1] = [test.states[index], test.inputs[index]];
      if (input.kind !== 'greeting') index++;
      if (agreement !== 'right') continue;
      const taken =
        input.kind === 'greeting' ? expected.steps : inputs[number] ? effect(from, number).steps : [];
      for (const { state, event } of taken) states.add(state).add(step(table, state, event));
    }
  }
  return {
    states: table.states.filter((_, state) => !states.has(state)),
    messages: Object.keys(frames).filter((type) => type.startsWith('server.') && !messages.has(type)),
  };
}
