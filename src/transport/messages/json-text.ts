import type { Fault } from '../fault.ts';
import { textAt } from '../fields/text-at.ts';
import { isComposite } from './pattern.ts';

/** Deeper than anybody's messages, and no danger to what goes through a value by recursion: schemas, `JSON.stringify`. */
const DEEPEST = 256;

type Read = { readonly value: unknown } | Pick<Fault, 'kind' | 'expected' | 'got'>;

const NO_TEXT: Read = { kind: 'encoding', expected: 'a JSON text in UTF-8', got: 'none' };
const TOO_DEEP: Read = {
  kind: 'depth',
  expected: `at most ${DEEPEST} values inside each other`,
  got: 'more',
};
const TWICE: Read = { kind: 'value', expected: 'each key once in its object', got: 'one twice' };

/**
 * The value that a JSON text says to everybody alike, or what is wrong with it. Of a key that stands twice some take the
 * first value and some the last: a server behind a guard might read another message than the guard has judged.
 */
export function readText(bytes: Uint8Array, from: number, to: number): Read {
  const text = textAt(bytes, from, to, 'utf8') ?? strictly(bytes.subarray(from, to));
  if (text === undefined) return NO_TEXT;
  const { keys, depth } = shapeOf(bytes, from, to);
  if (depth > DEEPEST) return TOO_DEEP;
  try {
    const value: unknown = JSON.parse(text);
    return keys > 1 && keysIn(value) < keys ? TWICE : { value };
  } catch {
    return NO_TEXT;
  }
}

/** How many keys a JSON text says, and how deep it goes: bytes of texts in it aside, of which none in UTF-8 is a quote. */
function shapeOf(bytes: Uint8Array, from: number, to: number) {
  let [keys, depth, deepest] = [0, 0, 0];
  for (let at = from; at < to; at++) {
    switch (bytes[at]) {
      case 0x22:
        for (at++; at < to && bytes[at] !== 0x22; at++) if (bytes[at] === 0x5c) at++;
        break;
      case 0x3a:
        keys++;
        break;
      case 0x5b:
      case 0x7b:
        if (++depth > deepest) deepest = depth;
        break;
      case 0x5d:
      case 0x7d:
        depth--;
    }
  }
  return { keys, depth: deepest };
}

function keysIn(value: unknown): number {
  if (!isComposite(value)) return 0;
  const parts: readonly unknown[] = Object.values(value);
  let keys = Array.isArray(value) ? 0 : parts.length;
  for (const part of parts) if (typeof part === 'object') keys += keysIn(part);
  return keys;
}

/** Where U+FFFD may stand for itself, or for what is no text. */
function strictly(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
