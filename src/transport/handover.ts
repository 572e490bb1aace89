import type { Connection } from './connection.ts';
import type { Content } from './content.ts';
import { LocalError, RemoteError } from './errors.ts';
import type { Reply } from './handlers.ts';
import type { Frames, Role } from './protocol.ts';

/** The content of the message at hand, on its way to who reads it; and the answer to the message, which waits for its end. */
export class Handover<F extends Frames, R extends Role> {
  readonly #content: Content;
  /** Once there is one, what nobody reads is dropped. */
  held: { readonly received: string; readonly reply: Reply<F, R> } | undefined;

  /** @param wanted is called when somebody wants to read. */
  constructor(content: Content, wanted: () => void) {
    this.#content = content;
    content.onRead = wanted;
  }

  /** Hands on what has come, while it is wanted. @returns whether that was all, or what is wrong with it. */
  advance(connection: Connection<F, R>): boolean | RemoteError {
    const content = this.#content;
    const { pieces } = content;
    while (pieces !== undefined && (content.wanted || this.held !== undefined)) {
      const piece = connection.piece(pieces);
      if (typeof piece === 'symbol') return false;
      if (piece instanceof RemoteError) {
        content.end({ error: piece });
        return piece;
      }
      if (piece === undefined) {
        content.end();
        return true;
      }
      if (content.wanted) content.give(piece);
    }
    return false;
  }

  /** The dialogue is over before it. */
  cutOff(): void {
    this.#content.end({ error: new LocalError('the session ended before its content', 'cut-off') });
  }
}
