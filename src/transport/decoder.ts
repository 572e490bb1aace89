import type { Cursor } from './cursor.ts';
import { type DecisionNode, decisionTree } from './decision-tree.ts';
import { DeclarationError } from './errors.ts';
import { hex } from './fault.ts';
import type { Frame } from './frame.ts';

/** A frame that one sender may send, with the number of its event in the table. */
export interface Entry {
  /** `client.NAME` */
  readonly type: string;
  /** `NAME` */
  readonly name: string;
  readonly event: number;
  readonly frame: Frame;
}

/** Finds frames in what one sender sends. A {@link Decoder} is one; so is what a protocol puts in its place. */
export interface Framing {
  /**
   * The frame that begins at the cursor, as soon as only one is left.
   *
   * @returns `undefined`: more bytes are wanted, or no frame begins so, which is the cursor's fault: it stands behind
   * what is none, unless that is lost.
   */
  identify(cursor: Cursor): Entry | undefined;
  /**
   * Reads the frame that was identified.
   *
   * @returns the message, with the cursor behind it. `undefined`: more bytes are wanted, and the cursor is where it was;
   * or the content is refused, which is the cursor's fault: it stands behind the frame unless that is lost.
   */
  read(cursor: Cursor, entry: Entry): { readonly type: string } | undefined;
}

/** The frames of one sender that are readable together, told apart by a decision tree. */
export class Decoder implements Framing {
  /** For each first byte the frame that it alone tells: the common case, a look-up. */
  readonly #byFirstByte: readonly (Entry | undefined)[];
  readonly #tree: DecisionNode | undefined;
  readonly #otherwise: Entry | undefined;

  /** @throws DeclarationError naming the frames that cannot be told apart. */
  constructor(entries: readonly Entry[]) {
    const [otherwise, another] = entries.filter(({ frame }) => frame.otherwise);
    if (otherwise !== undefined && another !== undefined) {
      throw new DeclarationError(`${otherwise.type} and ${another.type} both take what no other frame takes`);
    }
    const named = entries.filter((entry) => entry !== otherwise);
    this.#otherwise = otherwise;
    this.#tree = named.length === 0 ? undefined : decisionTree(named, otherwise !== undefined);
    const tree = this.#tree;
    this.#byFirstByte = Array.from({ length: 256 }, (_, byte) => {
      const next = tree?.kind === 'byte' && tree.skip === 0 ? tree.next[byte] : undefined;
      return next?.kind === 'name' ? next.entry : undefined;
    });
  }

  identify(cursor: Cursor): Entry | undefined {
    const { at } = cursor;
    cursor.start = at;
    if (at === cursor.end) {
      cursor.wanted = at + 1;
      return undefined;
    }
    return this.#byFirstByte[cursor.bytes[at] ?? 0] ?? this.#walk(cursor, at);
  }

  read(cursor: Cursor, { type, frame }: Entry): { readonly type: string } | undefined {
    const { at } = cursor;
    cursor.start = at;
    if (!cursor.doubted) {
      const whole = frame.readWhole(cursor, type);
      if (whole !== undefined) return whole;
      cursor.rewind(at);
      // What trickles in is not read from its start with every byte.
      cursor.doubted = true;
    }
    const message = { type };
    if (frame.read(cursor, message)) {
      cursor.finish();
      return cursor.fault === undefined ? message : undefined;
    }
    cursor.at = at;
    // Content is judged when the frame is whole.
    if (!cursor.lost) cursor.fault = undefined;
    return undefined;
  }

  #walk(cursor: Cursor, start: number): Entry | undefined {
    let node = this.#tree;
    let limit = Number.POSITIVE_INFINITY;
    let at = start;
    while (node !== undefined) {
      switch (node.kind) {
        case 'name':
          return node.entry;
        case 'byte': {
          at += node.skip;
          const { expected } = node;
          if (at >= limit) {
            const words = `a byte that names the frame: ${expected}`;
            return this.#unknown(cursor, node, () =>
              cursor.lose('length', limit, words, 'the end of what covers it'),
            );
          }
          if (at >= cursor.end) {
            cursor.wanted = at + 1;
            return undefined;
          }
          const byte = cursor.bytes[at] ?? 0;
          const next: DecisionNode | undefined = node.next[byte];
          if (next === undefined) {
            return this.#unknown(cursor, node, () => cursor.lose('unknown', at, expected, hex(byte)));
          }
          at += 1;
          node = next;
          break;
        }
        case 'field': {
          at += node.skip;
          cursor.at = at;
          const value = node.field.read(cursor);
          at = cursor.at;
          cursor.at = start;
          if (value === undefined && cursor.fault === undefined) return undefined;
          const branch =
            cursor.fault === undefined
              ? node.branches.find(({ test }) => test?.holds(value) ?? true)
              : undefined;
          if (branch === undefined) {
            const { expected } = node;
            return this.#unknown(cursor, node, () => cursor.lose('value', at, expected));
          }
          node = branch.node;
          break;
        }
        case 'cover': {
          at += node.skip;
          cursor.at = at;
          const size = node.length.read(cursor);
          at = cursor.at;
          cursor.at = start;
          if (size === undefined && cursor.fault === undefined) return undefined;
          if (size === undefined || cursor.fault !== undefined) return this.#unknown(cursor, node, () => {});
          limit = Math.min(limit, at + size - node.bias);
          node = node.node;
          break;
        }
      }
    }
    return this.#otherwise;
  }

  /** No frame of those that are told apart begins so. */
  #unknown(cursor: Cursor, { nearest }: { readonly nearest: readonly string[] }, refuse: () => void) {
    if (this.#otherwise !== undefined) {
      cursor.fault = undefined;
      cursor.lost = false;
      return this.#otherwise;
    }
    refuse();
    cursor.lost = true;
    if (cursor.fault !== undefined) cursor.fault = { ...cursor.fault, nearest };
    return undefined;
  }
}
