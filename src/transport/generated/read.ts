import type { Cursor } from '../cursor.ts';
import type { Field } from '../fields/field.ts';
import type { PartShape, Shape } from '../fields/shape.ts';
import { textAt } from '../fields/text-at.ts';
import {
  allowed,
  areAt,
  bitsOf,
  bounded,
  conditionOf,
  DOUBT,
  integerAt,
  literal,
  NoCode,
  NUMBERS,
  plus,
  rangeOf,
  SIZES,
} from './code.ts';

/**
 * Reads a frame that is whole and right: the message, with the cursor behind it. On any doubt, be it a missing byte or a
 * fault, `undefined`: then the cursor is rewound, and the closures of the fields judge, which are what a declaration means.
 */
export type ReadWhole = (cursor: Cursor, type: string) => { readonly type: string } | undefined;

/** Choices multiply what follows them; with more ways than this through a frame its code is not worth its size. */
const MOST_WAYS = 32;
/** Names that are compared one by one. */
const FEW = 8;

/** Code that reads frames of this shape; `undefined` where there is none to be had. */
export function generateRead(shape: PartShape | undefined): ReadWhole | undefined {
  if (!allowed || shape === undefined) return undefined;
  const code = new ReadCode();
  try {
    const body = code.unit(shape, ['type'], 'c.at');
    const source = `'use strict'; let P = 0, D = 0, E = 0, K = false; ${code.units.join(' ')}
      return (c, type) => { D = 0; const b = c.bytes, e = E = c.end, k = K = c.covered; let p = c.at; ${body} };`;
    return new Function('textAt', 'fields', 'tables', source)(textAt, code.fields, code.tables);
  } catch (error) {
    if (error instanceof NoCode) return undefined;
    throw error;
  }
}

/** What is still to be read: a part, or the end of a cover. */
type Work = PartShape | { readonly kind: 'leave'; readonly outer: Place };

/** Where the code stands: at `p + offset`, with `known` bytes there for certain, and none behind `end`. */
interface Place {
  readonly offset: number;
  readonly known: number;
  readonly end: string;
  /** Whether `end` is where a length said that it is. */
  readonly covered: string;
}

const START: Place = { offset: 0, known: 0, end: 'e', covered: 'k' };

/** A value in the code, and where the code stands behind it. */
interface Value {
  readonly code: string;
  readonly value: string;
  readonly place: Place;
}

class ReadCode {
  /** Functions that read records, and what has its own kind inside. They leave in `P` where they end. */
  readonly units: string[] = [];
  /** Fields that are asked. */
  readonly fields: Field<unknown>[] = [];
  /** What the code looks up by index. */
  readonly tables: ReadonlyMap<unknown, string>[] = [];
  readonly #functions = new Map<object, string>();
  #recursions = 0;
  #names = 0;
  #ways = 0;

  /** Reads parts into an object that also has `properties`, and answers it; `end` is set to the index behind. */
  unit(shape: PartShape, properties: readonly string[], end: string): string {
    const ways = this.#ways;
    this.#ways = 0;
    const code = this.#read([shape], START, new Map(), (place, values) => {
      if (++this.#ways > MOST_WAYS) throw new NoCode();
      const fields = [...values].filter(([key]) => !key.startsWith('?'));
      const all = [...properties, ...fields.map(([key, value]) => `${JSON.stringify(key)}: ${value}`)];
      return `${end} = ${plus(place.offset)}; return { ${all.join(', ')} };`;
    });
    this.#ways = ways;
    return code;
  }

  #read(
    work: readonly Work[],
    place: Place,
    values: ReadonlyMap<string, string>,
    end: (place: Place, values: ReadonlyMap<string, string>) => string,
  ): string {
    const [next, ...rest] = work;
    if (next === undefined) return end(place, values);
    const goOn = (behind: Place, more: readonly (readonly [string, string])[] = []) =>
      this.#read(rest, behind, new Map([...values, ...more]), end);
    switch (next.kind) {
      case 'sequence':
        return this.#read([...next.parts, ...rest], place, values, end);
      case 'constant': {
        const { bytes } = next;
        const sure = this.#sure(place, bytes.length, work);
        return `${sure.code} if (!(${areAt(bytes, 'p', place.offset)})) ${DOUBT} ${goOn(behind(sure.place, bytes.length))}`;
      }
      case 'field': {
        const { code, value, place: after } = this.#value(next.field, place, work);
        return `${code} ${goOn(after, [[next.key, value]])}`;
      }
      case 'bits': {
        const { size, bits } = next;
        const sure = this.#sure(place, size, work);
        const word = this.#name();
        const { code, found } = bitsOf(bits, size * 8, word);
        const whole = integerAt(place.offset, { width: size, little: false, signed: false });
        return `${sure.code} const ${word} = ${whole}; ${code} ${goOn(behind(sure.place, size), found)}`;
      }
      case 'within': {
        const { bias, of } = next;
        const length = this.#value(next.length, place, work);
        const cover = this.#name();
        return `${length.code} const ${cover} = ${plus(length.place.offset)} + ${length.value} - ${bias};
          if (${length.value} < ${bias} || ${cover} > ${place.end}) ${DOUBT}
          ${this.#read([of, { kind: 'leave', outer: place }, ...rest], { ...length.place, known: 0, end: cover, covered: 'true' }, values, end)}`;
      }
      case 'leave':
        return `if (${plus(place.offset)} !== ${place.end}) ${DOUBT} ${goOn({ ...next.outer, offset: place.offset, known: 0 })}`;
      case 'when': {
        const key = next.test.kind === 'present' ? `?${next.key}` : next.key;
        const condition = conditionOf(next.test, values.get(key));
        return `if (${condition}) { ${this.#read([next.of, ...rest], place, values, end)} } ${goOn(place)}`;
      }
      case 'cases': {
        const ways = next.cases.map(
          ([value, of]) =>
            `case ${JSON.stringify(value)}: { ${this.#read([of, ...rest], place, values, end)} }`,
        );
        return `switch (${values.get(next.key)}) { ${ways.join(' ')} default: ${DOUBT} }`;
      }
    }
  }

  /** A value at a place; a field that the code has no words for is asked. */
  #value(field: Field<unknown>, place: Place, work: readonly Work[] = []): Value {
    const { shape } = field;
    const value = this.#name();
    const moved = { ...place, offset: 0, known: 0 };
    const from = `p = ${plus(place.offset)};`;
    switch (shape?.kind) {
      case 'integer': {
        const sure = this.#sure(place, shape.width, work);
        const code = `${sure.code} const ${value} = ${integerAt(place.offset, shape)}; ${bounded(value, shape, rangeOf(shape))}`;
        return { code, value, place: behind(sure.place, shape.width) };
      }
      case 'varint': {
        if (shape.form === 'wide' || shape.form === 'zigzag') break;
        // Seven bits a byte, the lowest first. A form that is longer than it must be is left to the closures.
        const [byte, unit] = [this.#name(), this.#name()];
        const code = `${from} if (p >= ${place.end}) ${DOUBT} let ${value} = b[p++];
          if (${value} > 127) { let ${byte} = 0, ${unit} = 128; ${value} &= 127;
            do { if (p >= ${place.end} || ${unit} > 268435456) ${DOUBT}
              ${byte} = b[p++]; ${value} += (${byte} & 127) * ${unit}; ${unit} *= 128; } while (${byte} > 127);
            if (${byte} === 0) ${DOUBT} } ${bounded(value, shape)}`;
        return { code, value, place: moved };
      }
      case 'decimal': {
        // Digits up to what ends them; one number, one way to write it.
        const [digit, start, sign] = [this.#name(), this.#name(), this.#name()];
        const code = `${from} const ${sign} = ${shape.min < 0 ? 'b[p] === 45' : 'false'}; if (${sign}) p++; const ${start} = p;
          let ${value} = 0, ${digit} = 0;
          while (p < ${place.end} && (${digit} = b[p] - 48) >= 0 && ${digit} <= 9) { ${value} = ${value} * 10 + ${digit}; p++; }
          if (p === ${start} || p - ${start} > 15 || (b[${start}] === 48 && (${sign} || p - ${start} > 1))) ${DOUBT}
          ${past(shape.end, place)} if (${sign}) ${value} = -${value}; ${bounded(value, shape, NUMBERS)}`;
        return { code, value, place: moved };
      }
      case 'enumeration': {
        const raw = this.#value(shape.of, place, work);
        const code = `${raw.code} const ${value} = ${this.#named(shape.names, raw.value)}; if (${value} === undefined) ${DOUBT}`;
        return { ...raw, code, value };
      }
      case 'bytes':
      case 'text':
        return this.#bytes(shape, value, place, work);
      case 'list':
        return this.#list(shape, value, place, work);
      case 'enclosed': {
        const inner = this.#value(shape.of, moved);
        const code = `${from} ${past(shape.before, place)} ${inner.code} p = ${plus(inner.place.offset)}; ${past(shape.behind, place)}`;
        return { code, value: inner.value, place: moved };
      }
      case 'nullable': {
        const { mark } = shape;
        const inner = this.#value(shape.of, moved);
        const code = `${from} if (p + ${mark.length} > ${place.end}) ${DOUBT} let ${value} = null;
          if (${areAt(mark)}) p += ${mark.length}; else { ${inner.code} ${value} = ${inner.value}; p = ${plus(inner.place.offset)}; }`;
        return { code, value, place: moved };
      }
      case 'record':
        return this.#call(value, this.#recordOf(shape.of), place);
      case 'recursive': {
        const name = this.#recursionOf(shape);
        if (name !== undefined) return this.#call(value, name, place);
        break;
      }
    }
    // How deep values are in each other is known to the closures or to the code, not to both.
    if (this.#recursions > 0) throw new NoCode();
    const asked = `fields[${this.fields.push(field) - 1}].read(c)`;
    const code = `c.at = ${plus(place.offset)}; c.end = ${place.end}; c.covered = ${place.covered}; const ${value} = ${asked};
      c.end = E; c.covered = K; if (${value} === undefined || c.fault !== undefined) ${DOUBT} p = c.at;`;
    return { code, value, place: moved };
  }

  #bytes(
    shape: Extract<Shape, { kind: 'bytes' | 'text' }>,
    value: string,
    place: Place,
    work: readonly Work[],
  ): Value {
    const { count, open, end, min, max } = shape.amount;
    const [start, stop] = [this.#name(), this.#name()];
    const length = `${stop} - ${start}`;
    const make =
      shape.kind === 'text'
        ? `const ${value} = textAt(b, ${start}, ${stop}, '${shape.encoding}'); if (${value} === undefined) ${DOUBT}`
        : `const ${value} = new Uint8Array(b.buffer, b.byteOffset + ${start}, ${length});`;
    const moved = { ...place, offset: 0, known: 0 };
    if (count !== undefined) {
      const number = this.#value(count, place, work);
      const code = `${number.code} const ${start} = ${plus(number.place.offset)}, ${stop} = ${start} + ${number.value};
        if (${stop} > ${place.end}) ${DOUBT} ${bounded(number.value, { min, max }, rangeIn(count))} p = ${stop}; ${make}`;
      return { code, value, place: moved };
    }
    if (end.length > 0) {
      const last = end.length - 1;
      const code = `const ${start} = ${plus(place.offset)}; let ${stop} = ${start};
        while (${stop} + ${last} < ${place.end} && !(${areAt(end, stop)})) ${stop}++;
        if (${stop} + ${last} >= ${place.end}) ${DOUBT} ${bounded(length, { min, max })} p = ${stop} + ${end.length}; ${make}`;
      return { code, value, place: moved };
    }
    if (open) {
      const code = `const ${start} = ${plus(place.offset)}, ${stop} = ${place.end}; ${bounded(length, { min, max })} p = ${stop}; ${make}`;
      return { code, value, place: moved };
    }
    const sure = this.#sure(place, max, work);
    const code = `${sure.code} const ${start} = ${plus(place.offset)}, ${stop} = ${start} + ${max}; ${make}`;
    return { code, value, place: behind(sure.place, max) };
  }

  #list(
    { of, amount }: Extract<Shape, { kind: 'list' }>,
    value: string,
    place: Place,
    work: readonly Work[],
  ): Value {
    const { count, open, end, min, max } = amount;
    const number = count && this.#value(count, place, work);
    const moved = { ...place, offset: 0, known: 0 };
    const element = this.#value(of, moved);
    const goesOn = number
      ? `${value}.length < ${number.value}`
      : open || end.length > 0
        ? `p < ${place.end} && ${value}.length <= ${max}${open ? '' : ` && !(${areAt(end)})`}`
        : `${value}.length < ${max}`;
    const code = `${number ? `${number.code} ${bounded(number.value, { min, max })}` : ''}
      p = ${plus((number?.place ?? place).offset)}; const ${value} = [];
      while (${goesOn}) { ${element.code} ${value}.push(${element.value}); p = ${plus(element.place.offset)}; }
      ${bounded(`${value}.length`, { min, max })} ${past(end, place)}`;
    return { code, value, place: moved };
  }

  #call(value: string, name: string, place: Place): Value {
    const code = `const ${value} = ${name}(c, b, ${plus(place.offset)}, ${place.end}, ${place.covered});
      if (${value} === undefined) ${DOUBT} p = P;`;
    return { code, value, place: { ...place, offset: 0, known: 0 } };
  }

  #recordOf(shape: PartShape): string {
    const known = this.#functions.get(shape);
    if (known !== undefined) return known;
    const body = this.unit(shape, [], 'P');
    const name = `f${this.#functions.size}`;
    this.#functions.set(shape, name);
    this.units.push(`function ${name}(c, b, p, e, k) { ${body} }`);
    return name;
  }

  /** `undefined` where closures would have to be asked inside. */
  #recursionOf(shape: Extract<Shape, { kind: 'recursive' }>): string | undefined {
    const known = this.#functions.get(shape);
    if (known !== undefined) return known;
    const name = `f${this.#functions.size}`;
    this.#functions.set(shape, name);
    this.#recursions += 1;
    try {
      const inner = this.#value(shape.of(), START);
      // What is nested too deep, in whatever, is left to the closures.
      this.units.push(`function ${name}(c, b, p, e, k) { if (D >= ${shape.depth}) ${DOUBT} D++; const start = p; ${inner.code}
        p = ${plus(inner.place.offset)}; if (p - start > ${shape.max}) ${DOUBT} D--; P = p; return ${inner.value}; }`);
      return name;
    } catch (error) {
      if (!(error instanceof NoCode) || this.#recursions > 1) throw error;
      this.#functions.delete(shape);
      return undefined;
    } finally {
      this.#recursions -= 1;
    }
  }

  /** The name of a value: a few are compared one by one. */
  #named(names: Extract<Shape, { kind: 'enumeration' }>['names'], value: string): string {
    if (names.length > FEW) {
      const table = this.tables.push(new Map(names.map(([name, meant]) => [meant, name]))) - 1;
      return `tables[${table}].get(${value})`;
    }
    const all = names.map(([name, meant]) => `${value} === ${literal(meant)} ? ${JSON.stringify(name)} : `);
    return `${all.join('')}undefined`;
  }

  /** Makes sure of bytes, and at once of all that have a fixed place behind them. */
  #sure(place: Place, size: number, work: readonly Work[]): { readonly code: string; readonly place: Place } {
    if (place.known >= size) return { code: '', place };
    const known = Math.max(size, fixedAhead(work));
    return { code: `if (${plus(place.offset + known)} > ${place.end}) ${DOUBT}`, place: { ...place, known } };
  }

  #name(): string {
    return `v${this.#names++}`;
  }
}

const behind = (place: Place, size: number): Place => ({
  ...place,
  offset: place.offset + size,
  known: Math.max(0, place.known - size),
});

/** Moves past bytes that are always the same. */
function past(bytes: Uint8Array, { end }: Place): string {
  if (bytes.length === 0) return '';
  return `if (p + ${bytes.length} > ${end} || !(${areAt(bytes)})) ${DOUBT} p += ${bytes.length};`;
}

/** What a length can be when it has been read. */
function rangeIn({ shape }: Field<number>) {
  return shape?.kind === 'integer' ? rangeOf(shape) : SIZES;
}

/** Bytes that have their place for certain, from the first of `work` on. */
function fixedAhead(work: readonly Work[]): number {
  let sum = 0;
  for (const part of work) {
    if (part.kind === 'constant') sum += part.bytes.length;
    else if (part.kind === 'bits') sum += part.size;
    else if (part.kind === 'sequence') return sum + fixedAhead(part.parts);
    else if (part.kind === 'within') return sum + part.length.minimum;
    else if (part.kind !== 'field') return sum;
    else {
      sum += part.field.minimum;
      if (part.field.minimum !== part.field.maximum) return sum;
    }
  }
  return sum;
}
