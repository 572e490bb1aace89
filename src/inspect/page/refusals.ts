import { byId, element, eventElement, prepend } from './dom.ts';
import { time } from './format.ts';
import type { RefusalNote } from './message.ts';

/** Refusals that are kept on the page. */
const MOST = 50;

/** Adds one to the list of those who broke the protocol. */
export function showRefusal({ at, id, peer, kind, state, received, expected }: RefusalNote): void {
  const item = element('li', 'refused');
  const place = element('span', 'path', `in ${state}, ${kind}: expected `);
  place.append(expected.map((event) => event.replace(/^client\./, '')).join(' or ') || 'nothing');
  item.append(
    element('time', '', time(at)),
    eventElement(received),
    place,
    element('span', 'peer', `#${id} ${peer}`),
  );
  prepend(byId('refusals'), item, MOST);
  byId('none-refused').hidden = true;
}
