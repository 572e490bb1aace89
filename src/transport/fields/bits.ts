import { DeclarationError, LocalError } from '../errors.ts';
import { hex } from '../fault.ts';
import { between, bytesWhere, type Field, ours } from './field.ts';
import { type Bounds, boundsIn } from './integers.ts';
import { type Part, part } from './part.ts';
import type { BitShape } from './shape.ts';

/** Some bits of a byte, or of several, and what they are in the message. */
export interface Bits<T = unknown> {
  /** What the message has for them: never there. */
  readonly value?: T;
  readonly shape: Omit<BitShape, 'key'>;
  /** For a presence: the field of which it tells. */
  readonly of?: string;
}

/** Bits that are always the same: `isBits(3, 4)` is `0011`. */
export function isBits(value: number, width: number): Bits<never> {
  checkWidth(width);
  boundsIn(`${width} bits`, 0, 2 ** width - 1, { min: value, max: value });
  return { shape: { kind: 'constant', width, min: value, max: value } };
}

/** One bit: true or false. */
export function flag(): Bits<boolean> {
  return { shape: { kind: 'flag', width: 1, min: 0, max: 1 } };
}

/** An unsigned number of so many bits, at most 31. */
export function ubits(width: number, bounds: Bounds = {}): Bits<number> {
  checkWidth(width);
  return { shape: { kind: 'number', width, ...boundsIn(`${width} bits`, 0, 2 ** width - 1, bounds) } };
}

/**
 * One bit that says whether a field is there, further back in the frame: see {@link when} and {@link present}. It is no
 * part of the message, which has the field or has not.
 */
export function presence(of: string): Bits<never> {
  return { shape: { kind: 'presence', width: 1, min: 0, max: 1 }, of };
}

type BitFields<B> = {
  readonly [K in keyof B as B[K] extends Bits<infer T>
    ? [T] extends [never]
      ? never
      : K
    : never]: B[K] extends Bits<infer T> ? T : never;
};

/**
 * Bits next to each other, the highest first; together whole bytes, at most four.
 *
 * @example
 * ```ts
 * bits({ kind: isBits(3, 4), dup: flag(), qos: ubits(2, { max: 2 }), retain: flag() })
 * ```
 * @throws DeclarationError when they make no whole bytes.
 */
export function bits<const B extends { readonly [name: string]: Bits }>(given: B): Part<BitFields<B>> {
  const total = Object.values(given).reduce((sum, { shape }) => sum + shape.width, 0);
  if (total === 0 || total % 8 !== 0 || total > 32)
    throw new DeclarationError(`${total} bits are no one to four bytes`);
  const size = total / 8;
  let low = total;
  const all = Object.entries(given).map(([name, { shape, of }]) => {
    low -= shape.width;
    return { ...shape, key: of ?? name, name, low, mask: 2 ** shape.width - 1 };
  });
  type Slot = (typeof all)[number];
  const says = all.map(inWords).join(', ');
  const wordOf = (slot: Slot, raw: number) => (raw >>> slot.low) & slot.mask;
  const fits = (slot: Slot, value: number) => value >= slot.min && value <= slot.max;
  const valued = all.filter(({ kind }) => kind === 'flag' || kind === 'number');
  return part({
    says: `${total} bits: ${says}`,
    minimum: size,
    maximum: size,
    fields: valued.map((slot) => ({ key: slot.key, field: fieldOf(slot), optional: false })),
    announces: all.filter(({ kind }) => kind === 'presence').map(({ key }) => `?${key}`),
    shape: {
      kind: 'bits',
      size,
      bits: all.map(({ kind, key, width, min, max }) => ({ kind, key, width, min, max })),
    },
    steps: Array.from({ length: size }, (_, index) => {
      const above = total - 8 * (index + 1);
      const inside = all.filter((slot) => slot.low >= above && slot.low + slot.width <= above + 8);
      const narrow = inside.filter((slot) => slot.min > 0 || slot.max < slot.mask);
      return {
        kind: 'byte',
        set: bytesWhere((byte) =>
          narrow.every((slot) => fits(slot, (byte >>> (slot.low - above)) & slot.mask)),
        ),
      };
    }),
    read(cursor, fields) {
      if (!cursor.has(size)) return false;
      const { at, bytes } = cursor;
      let raw = 0;
      for (let index = 0; index < size; index++) raw = ((raw << 8) | (bytes[at + index] ?? 0)) >>> 0;
      cursor.at = at + size;
      for (const slot of all) {
        const value = wordOf(slot, raw);
        if (!fits(slot, value)) {
          const wrong = at + Math.floor((total - slot.low - slot.width) / 8);
          const got = hex(bytes[wrong] ?? 0);
          if (slot.kind !== 'constant') cursor.refuse('range', wrong, inWords(slot), got);
          else {
            cursor.lose('constant', wrong, inWords(slot), got);
            return false;
          }
        }
        if (slot.kind === 'flag') fields[slot.key] = value === 1;
        else if (slot.kind === 'number') fields[slot.key] = value;
        // The field takes its place when it is read; until then its key says that it will be there.
        else if (slot.kind === 'presence' && value === 1) fields[slot.key] = undefined;
      }
      return true;
    },
    size(fields) {
      for (const slot of valued) {
        const value = fields[slot.key];
        const isRight =
          slot.kind === 'flag'
            ? typeof value === 'boolean'
            : typeof value === 'number' && Number.isInteger(value) && fits(slot, value);
        if (!isRight) throw new LocalError(`expected ${inWords(slot)}, got ${String(value)}`);
      }
      return size;
    },
    write(fields, into, at) {
      let raw = 0;
      for (const slot of all) {
        const value = slot.kind === 'constant' ? undefined : fields[slot.key];
        const bit =
          slot.kind === 'constant'
            ? slot.min
            : slot.kind === 'presence'
              ? Number(value !== undefined)
              : Number(value);
        raw = (raw | (bit << slot.low)) >>> 0;
      }
      for (let index = size - 1; index >= 0; index--) {
        into[at + index] = raw & 0xff;
        raw >>>= 8;
      }
      return at + size;
    },
    sample(random, fields) {
      for (const slot of valued) {
        const value = between(random, slot.min, slot.max);
        fields[slot.key] = slot.kind === 'flag' ? value === 1 : value;
      }
    },
  });
}

function checkWidth(width: number): void {
  boundsIn('bits', 1, 31, { min: width, max: width });
}

function inWords(slot: BitShape & { readonly name: string }): string {
  switch (slot.kind) {
    case 'constant':
      return `\`${slot.min.toString(2).padStart(slot.width, '0')}\``;
    case 'flag':
      return `\`${slot.name}\`: 1 bit`;
    case 'presence':
      return `1 bit: whether there is \`${slot.key}\``;
    default:
      return `\`${slot.name}\`: ${slot.width} bits, ${slot.min}..${slot.max}`;
  }
}

/** What files and documents ask of a field: its bytes are shared with others, and it is not read alone. */
function fieldOf(slot: BitShape & { readonly name: string }): Field<unknown> {
  const alone = (): never => {
    throw new LocalError(`${slot.name}: bits are not read or written alone`);
  };
  return ours({
    says: inWords(slot),
    carries: slot.kind === 'flag' ? 'flag' : 'number',
    minimum: 0,
    maximum: 1,
    read: alone,
    size: alone,
    write: alone,
  });
}
