/** Values of attributes; numbers are written as they are, undefined ones left out. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/**
 * An element of an XML document, or of HTML that is written alike. Its name and those of its attributes are the
 * program's own; values and texts may come from anybody.
 */
export class Element {
  readonly #name: string;
  readonly #attributes: Attributes;
  readonly #content: (Element | string)[] = [];

  constructor(name: string, attributes: Attributes = {}) {
    this.#name = name;
    this.#attributes = attributes;
  }

  /** Adds an element at the end. @returns the new one. */
  ele(name: string, attributes?: Attributes): Element {
    const child = new Element(name, attributes);
    this.#content.push(child);
    return child;
  }

  /** Adds a text at the end. @returns this element. */
  txt(text: string): this {
    this.#content.push(escapeText(text));
    return this;
  }

  /** On one line; each element on a line of its own, where no text stands beside it, when an indent is given. */
  toString(indent?: string): string {
    const attributes = Object.entries(this.#attributes)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => ` ${name}="${escapeAttribute(String(value))}"`)
      .join('');
    const open = `<${this.#name}${attributes}`;
    if (this.#content.length === 0) return `${open}/>`;
    const spread = indent !== undefined && !this.#content.some((part) => typeof part === 'string');
    const deeper = spread ? `${indent}  ` : undefined;
    const lines = this.#content.map((part) => (typeof part === 'string' ? part : part.toString(deeper)));
    const inside = spread ? lines.map((line) => `\n${deeper}${line}`).join('') : lines.join('');
    return `${open}>${inside}${spread ? `\n${indent}` : ''}</${this.#name}>`;
  }
}

/** What no XML may hold, not even escaped: most controls, halves of characters, and two that are none. */
const IMPOSSIBLE = /[^\t\n\r\x20-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;

function escapeText(text: string): string {
  return (
    text
      .replace(IMPOSSIBLE, '\ufffd')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      // A reader would make a line break of it.
      .replaceAll('\r', '&#xD;')
  );
}

function escapeAttribute(text: string): string {
  return escapeText(text).replaceAll('"', '&quot;').replaceAll('\t', '&#x9;').replaceAll('\n', '&#xA;');
}
