import type { Cursor } from '../cursor.ts';
import type { Entry, Framing } from '../decoder.ts';
import { DeclarationError } from '../errors.ts';
import type { Envelope } from './envelope.ts';
import { CLOSE, JsonMessage } from './json-message.ts';
import { readText } from './json-text.ts';
import { type Composite, Discriminator, isComposite } from './pattern.ts';

/** A frame that was taken out of its envelope and named, and not yet read. */
interface Named {
  /** Where it began. */
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly next: number;
  readonly entry: Entry;
  readonly value: Composite;
}

const NO_VALUE: Composite = [];

/**
 * JSON texts of one sender that are readable together. The whole text is parsed to be named; its content is judged when it
 * is read. The end of each is known, so that behind one that is none of them the next is found.
 */
export class JsonDecoder implements Framing {
  readonly #envelope: Envelope;
  readonly #largest: number;
  /** Key of the constant that tells most of them apart, and those that have it by its value. */
  readonly #key: string | undefined;
  readonly #byConstant = new Map<unknown, Candidate[]>();
  readonly #rest: readonly Candidate[];
  readonly #otherwise: readonly Candidate[];
  readonly #byStatus = new Map<number, Entry>();
  #named: Named | undefined;

  /** @throws DeclarationError naming the messages that cannot be told apart. */
  constructor(entries: readonly Entry[], envelope: Envelope) {
    this.#envelope = envelope;
    this.#largest = Math.max(...entries.map(({ frame }) => messageOf(frame.whole).declared.max));
    const all = entries.flatMap((entry): Candidate[] => {
      const { told } = messageOf(entry.frame.whole).declared;
      if (told instanceof Discriminator) return [{ entry, told }];
      const twice = this.#byStatus.get(told.status);
      if (twice !== undefined) throw alike(twice, entry);
      this.#byStatus.set(told.status, entry);
      return [];
    });
    const named = all.filter(({ entry }) => !entry.frame.otherwise);
    this.#otherwise = all.filter(({ entry }) => entry.frame.otherwise);
    for (const together of [named, this.#otherwise]) checkApart(together);
    this.#key = bestKey(named);
    const rest: Candidate[] = [];
    for (const candidate of named) {
      const constant = this.#key === undefined ? undefined : candidate.told.constants.get(this.#key);
      if (constant === undefined) rest.push(candidate);
      else this.#byConstant.set(constant, [...(this.#byConstant.get(constant) ?? []), candidate]);
    }
    this.#rest = rest;
  }

  identify(cursor: Cursor): Entry | undefined {
    const { at, bytes } = cursor;
    cursor.start = at;
    const extent = this.#envelope.find(cursor, this.#largest);
    if (extent === undefined) return undefined;
    const { from, to, next } = extent;
    if (bytes[from] === CLOSE && to - from >= 3) {
      const status = ((bytes[from + 1] ?? 0) << 8) | (bytes[from + 2] ?? 0);
      const closing = this.#byStatus.get(status);
      if (closing === undefined) {
        const expected = [...this.#byStatus.keys()].join(' or ') || 'no status';
        return refuse(cursor, next, 'status', expected, `${status}`);
      }
      this.#named = { bytes, at, next, entry: closing, value: NO_VALUE };
      return closing;
    }
    const read = readText(bytes, from, to);
    if (!('value' in read)) {
      cursor.at = next;
      cursor.refuse(read.kind, from, read.expected, read.got);
      return undefined;
    }
    const { value } = read;
    const entry = isComposite(value) ? this.#entryOf(value) : undefined;
    if (entry === undefined || !isComposite(value)) return this.#unknown(cursor, next, value);
    this.#named = { bytes, at, next, entry, value };
    return entry;
  }

  read(cursor: Cursor, entry: Entry): { readonly type: string } | undefined {
    const { at } = cursor;
    cursor.start = at;
    const named = this.#named;
    this.#named = undefined;
    if (named?.bytes !== cursor.bytes || named.at !== at || named.entry !== entry) {
      // Others were named meanwhile, or the bytes were moved.
      return this.identify(cursor) === entry ? this.read(cursor, entry) : undefined;
    }
    cursor.at = named.next;
    cursor.finish();
    return messageOf(entry.frame.whole).judge(named.value, entry.type, cursor);
  }

  #entryOf(value: Composite): Entry | undefined {
    const constant = this.#key === undefined ? undefined : Reflect.get(value, this.#key);
    const candidates = this.#byConstant.get(constant);
    return (
      (candidates && fitting(candidates, value)) ??
      fitting(this.#rest, value) ??
      fitting(this.#otherwise, value)
    );
  }

  #unknown(cursor: Cursor, next: number, value: unknown): undefined {
    const key = this.#key ?? '';
    const known = [...this.#byConstant.keys()].map((constant) => JSON.stringify(constant));
    const expected = [...known, ...this.#rest.map(({ told }) => told.says)].join(' or ');
    const got = isComposite(value) ? Reflect.get(value, key) : value;
    return refuse(cursor, next, key, expected, inWords(got));
  }
}

interface Candidate {
  readonly entry: Entry;
  readonly told: Discriminator;
}

/** It is whole, and none of those that are known. */
function refuse(cursor: Cursor, next: number, field: string, expected: string, got: string): undefined {
  cursor.at = next;
  cursor.finish();
  cursor.fault ??= { kind: 'unknown', field, offset: 0, expected, got };
}

function fitting(candidates: readonly Candidate[], value: Composite): Entry | undefined {
  for (const { told, entry } of candidates) if (told.fits(value)) return entry;
  return undefined;
}

/** The names of kinds are no secret, and are told where they look like names: what else stands there may be anything. */
function inWords(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return /^("[\w$./-]{1,48}"|[\d.-]{1,16}|true|false|null)$/.test(text) ? text : 'something else';
}

function messageOf(whole: unknown): JsonMessage {
  if (whole instanceof JsonMessage) return whole;
  throw new DeclarationError(
    'a protocol is of frames that are JSON texts, or of frames of bytes, and not of both',
  );
}

function checkApart(candidates: readonly Candidate[]): void {
  for (const [index, one] of candidates.entries()) {
    const other = candidates.slice(index + 1).find(({ told }) => !told.excludes(one.told));
    if (other !== undefined) throw alike(one.entry, other.entry);
  }
}

function alike(one: Entry, other: Entry): DeclarationError {
  return new DeclarationError(
    `${one.type} and ${other.type} cannot be told apart: no constant tells which it is`,
  );
}

function bestKey(candidates: readonly Candidate[]): string | undefined {
  const values = new Map<string, Set<unknown>>();
  for (const { told } of candidates) {
    for (const [key, constant] of told.constants)
      values.set(key, (values.get(key) ?? new Set()).add(constant));
  }
  return [...values].sort(([, one], [, other]) => other.size - one.size)[0]?.[0];
}
