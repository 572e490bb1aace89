import { REFUSED, step, type Table } from '../machine/table.ts';
import type { Entry } from './decoder.ts';
import type { RunHandler } from './handlers.ts';
import type { Frames, Role } from './protocol.ts';
import type { Slices } from './slices.ts';

/** Equal messages that came together. All but the first, whose turn has come, stay in the inbox until theirs does. */
export class Run<F extends Frames = Frames, R extends Role = Role> {
  readonly entry: Entry;
  readonly handler: RunHandler<F, R>;
  /** Their contents, where they lie in the inbox. */
  readonly contents: Slices;
  /** How many of them, from the first, the handler has accepted. */
  accepted = 0;

  constructor(entry: Entry, handler: RunHandler<F, R>, contents: Slices) {
    this.entry = entry;
    this.handler = handler;
    this.contents = contents;
  }
}

/**
 * Which messages may be taken together: 1 at `state * events + event` where the event is answered by a reply that leads
 * back to the same state, wherever else the server may send before it. Nobody on the wire can tell then.
 */
export function answeredInPlace(table: Table): Uint8Array {
  const { events } = table;
  const servers = [...events.keys()].filter((event) => events[event]?.startsWith('server.'));
  return Uint8Array.from(table.next, (judging, index) => {
    const state = Math.floor(index / events.length);
    const isClients = events[index % events.length]?.startsWith('client.') === true;
    if (judging === REFUSED || !isClients || table.serverOwes[judging] !== 1) return 0;
    const after = servers.map((event) => step(table, judging, event)).filter((to) => to !== REFUSED);
    // What the server may push meanwhile must not change where the answer leads.
    const strays = after.some((to) => to !== judging && table.serverOwes[to] === 1);
    return Number(after.includes(state) && !strays);
  });
}
