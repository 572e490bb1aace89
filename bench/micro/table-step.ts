/** The gate alone: the event's number is known, the table says what comes after. */

import { exploreMachine, REFUSED, step } from '../../src/machine/table.ts';
import { messageLogMachine } from '../../src/protocols/message-log/machine.ts';
import { measure } from './measure.ts';

const table = exploreMachine(messageLogMachine);
const login = ['transport.accept', 'client.NAME', 'server.ACCEPT', 'client.PASSWORD', 'server.ACCEPT'];
const message = ['client.MESSAGE', 'server.ACCEPT'];
const dialogue = Uint8Array.from(
  [...login, ...new Array<string[]>(500).fill(message).flat()].map((event) => table.events.indexOf(event)),
);

measure(dialogue.length, () => {
  let state = table.initial;
  for (const event of dialogue) {
    state = step(table, state, event);
    if (state === REFUSED) throw new Error('the dialogue is not a legal one');
  }
  return state;
});
