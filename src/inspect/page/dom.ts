/** The element of the page with this id. The page and its scripts are made for each other: one that is missing is a bug. */
export function byId<T extends HTMLElement = HTMLElement>(
  id: string,
  type?: abstract new (...args: never) => T,
): T;
export function byId(id: string, type: abstract new (...args: never) => HTMLElement = HTMLElement) {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`the page has no ${type.name} #${id}`);
}

/** A new element of a class with a text. */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  className = '',
  text = '',
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  if (className !== '') made.className = className;
  if (text !== '') made.textContent = text;
  return made;
}

/** Changes a text only when it is another one: most of what is shown ten times a second stays as it was. */
export function say(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** Puts an item at the top of a list that keeps the newest `most`. */
export function prepend(list: Element, item: Element, most: number): void {
  list.prepend(item);
  while (list.childElementCount > most) list.lastElementChild?.remove();
}

/** The parts of an event's name: `client.NAME` as the class of its party and the message. */
export function eventElement(event: string): HTMLElement {
  const [, party, message] = /^(client|server|transport)\.(.+)$/.exec(event) ?? [];
  return element('b', `event ${party ?? 'unknown'}`, message ?? event);
}

/** Hands a text to the reader as a file. */
export function save(name: string, type: string, text: string): void {
  const link = element('a');
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
