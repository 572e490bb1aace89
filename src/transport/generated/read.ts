import type { Cursor } from '../cursor.ts';
import { floatAt } from '../fields/floats.ts';
import type { BitShape, ListShape, PartShape, Shape } from '../fields/shape.ts';
import { textAt } from '../fields/text-at.ts';
import { allowed, conditionOf, literal, NoCode, type Range, rangeOf, SIZES } from './code.ts';

/**
 * Reads a frame that is whole and right: the message, with the cursor behind it. On any doubt, be it a missing byte or a
 * fault, `undefined`, and the cursor is where it was: then the closures of the fields judge, which are what a declaration
 * means.
 */
export type ReadWhole = (cursor: Cursor, type: string) => { readonly type: string } | undefined;

/** Choices multiply what follows them; with more ways than this through a frame its code is not worth its size. */
const MOST_WAYS = 32;

/** Code that reads frames of this shape; `undefined` where there is none to be had. */
export function generateRead(shape: PartShape | undefined): ReadWhole | undefined {
  if (!allowed || shape === undefined) return undefined;
  const code = new ReadCode();
  try {
    const body = code.unit(shape, ['type'], (at) => `c.at = ${at};`);
    const source = `'use strict'; let P = 0, D = 0; ${code.units.join(' ')} return (c, type) => { D = 0; const b = c.bytes, e = c.end; let p = c.at; ${body} };`;
    return new Function('textAt', 'floatAt', 'tables', source)(textAt, floatAt, code.tables);
  } catch (error) {
    if (error instanceof NoCode) return undefined;
    throw error;
  }
}

/** What is still to be read: a part, or the end of a cover. */
type Work = PartShape | { readonly kind: 'leave'; readonly outer: string };

/** Where the code stands: at `p + offset`, with `known` bytes there for certain, and none behind `end`. */
interface Place {
  readonly offset: number;
  readonly known: number;
  readonly end: string;
}

/** A value in the code, and where the code stands behind it. */
interface Value {
  readonly code: string;
  readonly value: string;
  readonly place: Place;
}

const DOUBT = 'return undefined;';

class ReadCode {
  /** Functions that read records. */
  readonly units: string[] = [];
  /** What the code looks up by index. */
  readonly tables: ReadonlyMap<unknown, string>[] = [];
  readonly #records = new Map<PartShape, string>();
  readonly #recursions = new Map<number, string>();
  #names = 0;
  #ways = 0;

  /** Reads parts into an object that also has `properties`, and answers it; `done` is run before, with the index behind. */
  unit(shape: PartShape, properties: readonly string[], done: (at: string) => string): string {
    this.#ways = 0;
    return this.#read([shape], { offset: 0, known: 0, end: 'e' }, new Map(), (place, values) => {
      if (++this.#ways > MOST_WAYS) throw new NoCode();
      const fields = [...values].filter(([key]) => !key.startsWith('?'));
      const all = [...properties, ...fields.map(([key, value]) => `${JSON.stringify(key)}: ${value}`)];
      return `${done(plus(place.offset))} return { ${all.join(', ')} };`;
    });
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
      this.#read(rest, behind, more.length === 0 ? values : new Map([...values, ...more]), end);
    switch (next.kind) {
      case 'sequence':
        return this.#read([...next.parts, ...rest], place, values, end);
      case 'constant': {
        const { bytes } = next;
        const sure = this.#sure(place, bytes.length, work);
        const wrong = bytes.map((byte, index) => `b[${plus(place.offset + index)}] !== ${byte}`);
        return `${sure.code} if (${wrong.join(' || ')}) ${DOUBT} ${goOn(behind(sure.place, bytes.length))}`;
      }
      case 'word': {
        const { text } = next;
        const sure = this.#sure(place, text.length, work);
        const wrong = [...text].map((letter, index) => {
          const byte = `b[${plus(place.offset + index)}]`;
          const [lower, upper] = [letter.toLowerCase().charCodeAt(0), letter.toUpperCase().charCodeAt(0)];
          return lower === upper ? `${byte} !== ${lower}` : `(${byte} !== ${lower} && ${byte} !== ${upper})`;
        });
        return `${sure.code} if (${wrong.join(' || ')}) ${DOUBT} ${goOn(behind(sure.place, text.length))}`;
      }
      case 'group': {
        const [field, ...others] = next.fields;
        if (field === undefined) return goOn(place);
        if (field.shape === undefined) throw new NoCode();
        const read = this.#value(field.shape, place, work);
        const more = new Map([...values, [field.key, read.value]]);
        return `${read.code} ${this.#read([{ kind: 'group', fields: others }, ...rest], read.place, more, end)}`;
      }
      case 'bits': {
        const sure = this.#sure(place, next.size, work);
        const word = this.#name();
        const { code, found } = bitsOf(next.bits, next.size * 8, word);
        const whole = integerAt(place.offset, next.size, false, false);
        return `${sure.code} const ${word} = ${whole}; ${code} ${goOn(behind(sure.place, next.size), found)}`;
      }
      case 'within': {
        if (next.length === undefined || next.of === undefined) throw new NoCode();
        const length = this.#value(next.length, place, work);
        const cover = this.#name();
        const inside = { ...length.place, known: 0, end: cover };
        const bias = next.bias === 0 ? '' : ` - ${next.bias}`;
        return `${length.code} const ${cover} = ${plus(length.place.offset)} + ${length.value}${bias};
          if (${length.value} < ${next.bias} || ${cover} > ${place.end}) ${DOUBT}
          ${this.#read([next.of, { kind: 'leave', outer: place.end }, ...rest], inside, values, end)}`;
      }
      case 'leave':
        return `if (${plus(place.offset)} !== ${place.end}) ${DOUBT} ${goOn({ ...place, known: 0, end: next.outer })}`;
      case 'when': {
        if (next.of === undefined) throw new NoCode();
        const key = next.test.kind === 'present' ? `?${next.key}` : next.key;
        const condition = conditionOf(next.test, values.get(key));
        return `if (${condition}) { ${this.#read([next.of, ...rest], place, values, end)} } ${goOn(place)}`;
      }
      case 'cases': {
        const ways = next.cases.map(([value, of]) => {
          if (of === undefined) throw new NoCode();
          return `case ${JSON.stringify(value)}: { ${this.#read([of, ...rest], place, values, end)} }`;
        });
        return `switch (${values.get(next.key)}) { ${ways.join(' ')} default: ${DOUBT} }`;
      }
    }
  }

  #value(shape: Shape, place: Place, work: readonly Work[]): Value {
    switch (shape.kind) {
      case 'integer': {
        const sure = this.#sure(place, shape.width, work);
        const value = this.#name();
        const raw = integerAt(place.offset, shape.width, shape.little, shape.signed);
        const code = `${sure.code} const ${value} = ${raw}; ${bounded(value, shape, rangeOf(shape))}`;
        return { code, value, place: behind(sure.place, shape.width) };
      }
      case 'varint':
        return this.#varint(shape, place);
      case 'enumeration': {
        const raw = this.#value(shape.of, place, work);
        const table = this.tables.push(new Map(shape.names.map(([name, value]) => [value, name]))) - 1;
        const value = this.#name();
        const code = `${raw.code} const ${value} = tables[${table}].get(${raw.value}); if (${value} === undefined) ${DOUBT}`;
        return { ...raw, code, value };
      }
      case 'text':
      case 'padded': {
        const {
          code,
          start,
          stop,
          place: next,
        } = this.#extent(shape.kind === 'text' ? shape.bytes : shape, place, work);
        const value = this.#name();
        const encoding = shape.kind === 'text' ? shape.encoding : 'ascii';
        const text = `const ${value} = textAt(b, ${start}, ${stop}, '${encoding}'); if (${value} === undefined) ${DOUBT}`;
        return { code: `${code} ${text}`, value, place: next };
      }
      case 'record': {
        const value = this.#name();
        const call = `const ${value} = ${this.#recordOf(shape.of)}(b, ${plus(place.offset)}, ${place.end}); if (${value} === undefined) ${DOUBT} p = P;`;
        return { code: call, value, place: { ...place, offset: 0, known: 0 } };
      }
      case 'list':
        return this.#list(shape, place, work);
      case 'float': {
        const sure = this.#sure(place, shape.width, work);
        const value = this.#name();
        const read = `const ${value} = floatAt(b, ${plus(place.offset)}, ${shape.width}, ${shape.little});`;
        return { code: `${sure.code} ${read}`, value, place: behind(sure.place, shape.width) };
      }
      case 'decimal':
        return this.#decimal(shape, place);
      case 'enclosed': {
        const inner = this.#value(shape.of, { ...place, offset: 0, known: 0 }, []);
        const code = `p = ${plus(place.offset)}; ${past(shape.before, place.end)} ${inner.code}
          p = ${plus(inner.place.offset)}; ${past(shape.behind, place.end)}`;
        return { code, value: inner.value, place: { ...place, offset: 0, known: 0 } };
      }
      case 'nullable': {
        const inner = this.#value(shape.of, { ...place, offset: 0, known: 0 }, []);
        const value = this.#name();
        const { mark } = shape;
        const isNull = mark.map((byte, index) => `b[${plus(index)}] === ${byte}`).join(' && ');
        const code = `p = ${plus(place.offset)}; if (p + ${mark.length} > ${place.end}) ${DOUBT} let ${value} = null;
          if (${isNull}) p = p + ${mark.length}; else { ${inner.code} ${value} = ${inner.value}; p = ${plus(inner.place.offset)}; }`;
        return { code, value, place: { ...place, offset: 0, known: 0 } };
      }
      case 'recursive': {
        const value = this.#name();
        const call = `const ${value} = ${this.#recursionOf(shape)}(b, ${plus(place.offset)}, ${place.end}); if (${value} === undefined) ${DOUBT} p = P;`;
        return { code: call, value, place: { ...place, offset: 0, known: 0 } };
      }
      default: {
        const { code, start, stop, place: next } = this.#extent(shape, place, work);
        const value = this.#name();
        const view = `const ${value} = new Uint8Array(b.buffer, b.byteOffset + ${start}, ${stop} - ${start});`;
        return { code: `${code} ${view}`, value, place: next };
      }
    }
  }

  /** Where bytes begin and end, without making a value of them. */
  #extent(shape: Shape, place: Place, work: readonly Work[]) {
    const start = this.#name();
    const stop = this.#name();
    const moved = { ...place, offset: 0, known: 0 };
    switch (shape.kind) {
      case 'fixed': {
        const sure = this.#sure(place, shape.size, work);
        const code = `${sure.code} const ${start} = ${plus(place.offset)}, ${stop} = ${start} + ${shape.size};`;
        return { code, start, stop, place: behind(sure.place, shape.size) };
      }
      case 'padded': {
        const sure = this.#sure(place, shape.size, work);
        const code = `${sure.code} const ${start} = ${plus(place.offset)}; let ${stop} = ${start};
          while (${stop} < ${start} + ${shape.size} && b[${stop}] !== ${shape.pad}) ${stop}++;`;
        return { code, start, stop, place: behind(sure.place, shape.size) };
      }
      case 'counted': {
        const length = this.#value(shape.length, place, work);
        const code = `${length.code} const ${start} = ${plus(length.place.offset)}, ${stop} = ${start} + ${length.value};
          if (${stop} > ${place.end}) ${DOUBT} ${bounded(length.value, shape, rangeOf(shape.length))} p = ${stop};`;
        return { code, start, stop, place: moved };
      }
      case 'rest': {
        const code = `const ${start} = ${plus(place.offset)}, ${stop} = ${place.end};
          ${bounded(`${stop} - ${start}`, shape)} p = ${stop};`;
        return { code, start, stop, place: moved };
      }
      case 'until': {
        const last = shape.end.length - 1;
        const ends = shape.end.map((byte, index) => `b[${stop} + ${index}] === ${byte}`).join(' && ');
        const code = `const ${start} = ${plus(place.offset)}; let ${stop} = ${start};
          while (${stop} + ${last} < ${place.end} && !(${ends})) ${stop}++;
          if (${stop} + ${last} >= ${place.end}) ${DOUBT} ${bounded(`${stop} - ${start}`, shape)} p = ${stop} + ${last + 1};`;
        return { code, start, stop, place: moved };
      }
      default:
        throw new NoCode();
    }
  }

  /** Seven bits a byte, the lowest first. A form that is longer than it must be is left to the closures. */
  #varint(shape: Extract<Shape, { kind: 'varint' }>, place: Place): Value {
    if (shape.form === 'wide') throw new NoCode();
    const [value, byte, unit] = [this.#name(), this.#name(), this.#name()];
    // Signs alternate: 0, -1, 1, -2.
    const meant =
      shape.form === 'zigzag'
        ? `if (${value} > 4294967295) ${DOUBT} ${value} = (${value} >>> 1) ^ -(${value} & 1);`
        : '';
    const code = `p = ${plus(place.offset)}; if (p >= ${place.end}) ${DOUBT} let ${value} = b[p++];
      if (${value} > 127) { let ${byte} = 0, ${unit} = 128; ${value} &= 127;
        do { if (p >= ${place.end} || ${unit} > 268435456) ${DOUBT}
          ${byte} = b[p++]; ${value} += (${byte} & 127) * ${unit}; ${unit} *= 128; } while (${byte} > 127);
        if (${byte} === 0) ${DOUBT} } ${meant} ${bounded(value, shape, NUMBERS)}`;
    return { code, value, place: { ...place, offset: 0, known: 0 } };
  }

  /** Digits up to what ends them; one number, one way to write it. */
  #decimal({ end, min, max }: Extract<Shape, { kind: 'decimal' }>, place: Place): Value {
    const [value, digit, start, sign] = [this.#name(), this.#name(), this.#name(), this.#name()];
    const negative = min < 0 ? `b[p] === 45` : 'false';
    const code = `p = ${plus(place.offset)}; const ${sign} = ${negative}; if (${sign}) p++; const ${start} = p;
      let ${value} = 0, ${digit} = 0;
      while (p < ${place.end} && (${digit} = b[p] - 48) >= 0 && ${digit} <= 9) { ${value} = ${value} * 10 + ${digit}; p++; }
      if (p === ${start} || p - ${start} > 15 || (b[${start}] === 48 && (${sign} || p - ${start} > 1))) ${DOUBT}
      ${past(end, place.end)} if (${sign}) ${value} = -${value}; ${bounded(value, { min, max }, NUMBERS)}`;
    return { code, value, place: { ...place, offset: 0, known: 0 } };
  }

  #recursionOf(shape: Extract<Shape, { kind: 'recursive' }>): string {
    const known = this.#recursions.get(shape.id);
    if (known !== undefined) return known;
    const name = `q${this.#recursions.size}`;
    this.#recursions.set(shape.id, name);
    const of = shape.of();
    if (of === undefined) throw new NoCode();
    const inner = this.#value(of, { offset: 0, known: 0, end: 'e' }, []);
    // What is nested too deep, in whatever, is left to the closures.
    this.units.push(`function ${name}(b, p, e) { if (D >= ${shape.depth}) return undefined; D++; const start = p; ${inner.code}
      p = ${plus(inner.place.offset)}; if (p - start > ${shape.max}) return undefined; D--; P = p; return ${inner.value}; }`);
    return name;
  }

  #list(shape: Extract<Shape, { kind: 'list' }>, place: Place, work: readonly Work[]): Value {
    const value = this.#name();
    const counted = this.#counting(shape.count, place, work);
    const element = this.#value(shape.of, { offset: 0, known: 0, end: place.end }, []);
    const code = `${counted.code} p = ${plus(counted.place.offset)}; const ${value} = [];
      ${counted.loop(value, shape)} { ${element.code} ${value}.push(${element.value}); p = ${plus(element.place.offset)}; }
      ${bounded(`${value}.length`, shape)} ${counted.after}`;
    return { code, value, place: { ...place, offset: 0, known: 0 } };
  }

  /** How a list goes on: `loop` is a loop's head, that makes no more elements than the list may have. */
  #counting(count: ListShape, place: Place, work: readonly Work[]) {
    const most = (list: string, max: number) => (Number.isFinite(max) ? ` && ${list}.length <= ${max}` : '');
    if (count === 'rest') {
      const loop = (list: string, { max }: { max: number }) => `while (p < ${place.end}${most(list, max)})`;
      return { code: '', place, loop, after: '' };
    }
    if (typeof count === 'number') {
      return { code: '', place, loop: (list: string) => `while (${list}.length < ${count})`, after: '' };
    }
    if ('kind' in count) {
      const number = this.#value(count, place, work);
      const loop = (list: string, bounds: { min: number; max: number }) =>
        `${bounded(number.value, bounds)} while (${list}.length < ${number.value})`;
      return { code: number.code, place: number.place, loop, after: '' };
    }
    const ends = count.map((byte, index) => `b[p + ${index}] === ${byte}`).join(' && ');
    const loop = (list: string, { max }: { max: number }) =>
      `while (p < ${place.end} && !(${ends})${most(list, max)})`;
    const after = `if (p + ${count.length} > ${place.end}) ${DOUBT} p += ${count.length};`;
    return { code: '', place, loop, after };
  }

  #recordOf(shape: PartShape): string {
    const known = this.#records.get(shape);
    if (known !== undefined) return known;
    const name = `r${this.#records.size}`;
    this.#records.set(shape, name);
    const ways = this.#ways;
    this.units.push(`function ${name}(b, p, e) { ${this.unit(shape, [], (at) => `P = ${at};`)} }`);
    this.#ways = ways;
    return name;
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

const plus = (offset: number): string => (offset === 0 ? 'p' : `p + ${offset}`);

const behind = (place: Place, size: number): Place => ({
  ...place,
  offset: place.offset + size,
  known: Math.max(0, place.known - size),
});

/** Doubts a value beyond its bounds; `possible` is what it can be at all. */
function bounded(value: string, { min, max }: Range, possible: Range = SIZES): string {
  const tests = [
    ...(min > possible.min ? [`${value} < ${literal(min)}`] : []),
    ...(max < possible.max ? [`${value} > ${literal(max)}`] : []),
  ];
  return tests.length === 0 ? '' : `if (${tests.join(' || ')}) ${DOUBT}`;
}

function integerAt(offset: number, width: number, little: boolean, signed: boolean): string {
  if (width === 8) {
    const [high, low] = little ? [offset + 4, offset] : [offset, offset + 4];
    return `((BigInt(${integerAt(high, 4, little, signed)}) << 32n) | BigInt(${integerAt(low, 4, little, false)}))`;
  }
  const bytes = Array.from({ length: width }, (_, index) => {
    const shift = 8 * (little ? index : width - 1 - index);
    return shift === 0 ? `b[${plus(offset + index)}]` : `(b[${plus(offset + index)}] << ${shift})`;
  });
  const joined = bytes.join(' | ');
  const spare = 32 - 8 * width;
  if (signed) return spare === 0 ? `(${joined})` : `((${joined}) << ${spare} >> ${spare})`;
  return width === 4 ? `((${joined}) >>> 0)` : width === 1 ? joined : `(${joined})`;
}

/** What bits mean, and the code that doubts those that are not as they must be. */
function bitsOf(bits: readonly BitShape[], total: number, word: string) {
  const found: (readonly [string, string])[] = [];
  const code: string[] = [];
  let low = total;
  for (const { kind, key, width, min, max } of bits) {
    low -= width;
    const raw = low === 0 && width === total ? word : `((${word} >>> ${low}) & ${2 ** width - 1})`;
    if (kind === 'constant') code.push(`if (${raw} !== ${min}) ${DOUBT}`);
    else if (kind === 'number') {
      if (min > 0 || max < 2 ** width - 1) code.push(bounded(raw, { min, max }));
      found.push([key, raw]);
    } else found.push([kind === 'presence' ? `?${key}` : key, `(${raw} === 1)`]);
  }
  return { code: code.join(' '), found };
}

/** Moves past bytes that are always the same. */
function past(bytes: readonly number[], end: string): string {
  if (bytes.length === 0) return '';
  const wrong = bytes.map((byte, index) => `b[${plus(index)}] !== ${byte}`).join(' || ');
  return `if (p + ${bytes.length} > ${end} || ${wrong}) ${DOUBT} p = p + ${bytes.length};`;
}

const NUMBERS: Range = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY };

/** Bytes that have their place for certain, from the first of `work` on. */
function fixedAhead(work: readonly Work[]): number {
  let sum = 0;
  for (const part of work) {
    if (part.kind === 'constant') sum += part.bytes.length;
    else if (part.kind === 'word') sum += part.text.length;
    else if (part.kind === 'bits') sum += part.size;
    else if (part.kind === 'sequence') return sum + fixedAhead([...part.parts]);
    else if (part.kind === 'group') {
      for (const { shape } of part.fields) {
        const { size, ends } = fixedSize(shape);
        sum += size;
        if (ends) return sum;
      }
    } else if (part.kind === 'within') return sum + fixedSize(part.length).size;
    else return sum;
  }
  return sum;
}

/** Bytes that a field has at its begin for certain, and whether more may follow. */
function fixedSize(shape: Shape | undefined): { readonly size: number; readonly ends: boolean } {
  switch (shape?.kind) {
    case 'integer':
    case 'float':
      return { size: shape.width, ends: false };
    case 'fixed':
    case 'padded':
      return { size: shape.size, ends: false };
    case 'enumeration':
      return fixedSize(shape.of);
    case 'text':
      return fixedSize(shape.bytes);
    case 'counted':
      return { size: fixedSize(shape.length).size, ends: true };
    default:
      return { size: 0, ends: true };
  }
}
