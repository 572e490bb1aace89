import { onTestFinished } from 'vitest';

/** Reads server-sent events as a browser does. */
export class EventReader<M extends object> {
  /** All that came, as it came. */
  text = '';
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #events: { name: string; message: unknown }[] = [];
  #unread = '';

  private constructor(reader: ReadableStreamDefaultReader<string>) {
    this.#reader = reader;
    onTestFinished(() => reader.cancel());
  }

  static async open<M extends object>(url: string): Promise<EventReader<M>> {
    const { body, status } = await fetch(url);
    if (body === null || status !== 200) throw new Error(`${url}: ${status}`);
    return new EventReader<M>(body.pipeThrough(new TextDecoderStream()).getReader());
  }

  /** The next message of this name that satisfies; those before it are dropped. */
  async until<N extends string & keyof M>(
    name: N,
    satisfies: (message: M[N]) => boolean = () => true,
  ): Promise<M[N]> {
    for (;;) {
      const event = this.#events.shift() ?? (await this.#next());
      if (event === undefined) throw new Error(`the stream ended before such a ${name}`);
      if (event.name !== name) continue;
      // What the server writes is declared once for both ends.
      const message = event.message as M[N];
      if (satisfies(message)) return message;
    }
  }

  async #next(): Promise<{ name: string; message: unknown } | undefined> {
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.text += value;
      this.#unread += value;
      const blocks = this.#unread.split('\n\n');
      this.#unread = blocks.pop() ?? '';
      for (const block of blocks) {
        const [, name, message] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
        if (name !== undefined) this.#events.push({ name, message: JSON.parse(message ?? '') });
      }
      const first = this.#events.shift();
      if (first !== undefined) return first;
    }
  }
}
