import type { BitShape, PartShape, Shape } from '../fields/shape.ts';
import { textAt, textSize, writeText } from '../fields/text-at.ts';
import { allowed, conditionOf, literal, NoCode, type Range, rangeOf } from './code.ts';

/** Writes messages whose values are all right; the closures say what is wrong with others. */
export interface WriteWhole {
  /** Bytes of the whole frame; negative on any doubt. */
  size(message: object): number;
  /** Writes what was sized last, and answers the index after it; negative on any doubt. */
  write(message: object, into: Uint8Array, at: number): number;
}

/** Code that writes frames of this shape; `undefined` where there is none to be had. */
export function generateWrite(shape: PartShape | undefined): WriteWhole | undefined {
  if (!allowed || shape === undefined) return undefined;
  const code = new WriteCode();
  try {
    const { size, write } = code.part(shape, 'm');
    const source = `'use strict'; let Z = [], z = 0, D = 0; ${code.units.join(' ')} return {
      size(m) { let s = 0; D = 0; ${code.remembers ? 'Z = [];' : ''} ${size} return s; },
      write(m, b, p) { z = 0; ${write} return p; } };`;
    return new Function('textSize', 'writeText', 'holds', 'tables', source)(
      textSize,
      writeText,
      holds,
      code.tables,
    );
  } catch (error) {
    if (error instanceof NoCode) return undefined;
    throw error;
  }
}

/** Code that adds to `s` what a value takes, and code that writes it to `b` at `p`. */
interface Both {
  readonly size: string;
  readonly write: string;
}

const DOUBT = 'return -1;';

class WriteCode {
  /** What the code looks up by index. */
  readonly tables: ReadonlyMap<unknown, unknown>[] = [];
  /** Whether sizes have to be kept from one pass to the other. */
  remembers = false;
  /** Functions that write what may have its own kind inside. */
  readonly units: string[] = [];
  readonly #recursions = new Map<number, string>();
  #names = 0;

  /** @param from the object, in the code, whose fields are written. */
  part(shape: PartShape, from: string): Both {
    switch (shape.kind) {
      case 'constant': {
        return constant(shape.bytes);
      }
      case 'word': {
        const letters = [...shape.text].map((letter, index) => `b[p + ${index}] = ${letter.charCodeAt(0)};`);
        return { size: `s += ${letters.length};`, write: `${letters.join(' ')} p += ${letters.length};` };
      }
      case 'sequence':
        return joined(shape.parts.map((part) => this.part(part, from)));
      case 'group':
        return joined(
          shape.fields.map(({ key, shape: field }) => {
            if (field === undefined) throw new NoCode();
            const value = this.#name();
            return declared(value, `${from}[${JSON.stringify(key)}]`, this.#value(field, value));
          }),
        );
      case 'bits':
        return bitsOf(shape.bits, shape.size, from);
      case 'within':
        return this.#within(shape, from);
      case 'when': {
        if (shape.of === undefined) throw new NoCode();
        const value = `${from}[${JSON.stringify(shape.key)}]`;
        const condition =
          shape.test.kind === 'present' ? `${value} !== undefined` : conditionOf(shape.test, value);
        const inner = this.part(shape.of, from);
        const surplus = absent(keysOf(shape.of), from);
        return {
          size: `if (${condition}) { ${inner.size} } else { ${surplus} }`,
          write: `if (${condition}) { ${inner.write} }`,
        };
      }
      case 'cases': {
        const names = new Set(shape.cases.flatMap(([, of]) => (of === undefined ? [] : keysOf(of))));
        const ways = shape.cases.map(([value, of]) => {
          if (of === undefined) throw new NoCode();
          const own = keysOf(of);
          const surplus = absent(
            [...names].filter((name) => !own.includes(name)),
            from,
          );
          const { size, write } = this.part(of, from);
          return { value: JSON.stringify(value), size: `${surplus} ${size}`, write };
        });
        const choose = (code: 'size' | 'write', otherwise: string) =>
          `switch (${from}[${JSON.stringify(shape.key)}]) {
            ${ways.map((way) => `case ${way.value}: { ${way[code]} break; }`).join(' ')} default: ${otherwise} }`;
        return { size: choose('size', DOUBT), write: choose('write', 'break;') };
      }
    }
  }

  #value(shape: Shape, value: string): Both {
    switch (shape.kind) {
      case 'integer':
        return {
          size: `${isInteger(value, shape)} s += ${shape.width};`,
          write: `${integerTo(value, 'p', shape)} p += ${shape.width};`,
        };
      case 'varint':
        return { size: `${isInteger(value, shape)} ${varintSize(value, shape)}`, write: varintTo(value) };
      case 'enumeration': {
        const table = this.tables.push(new Map(shape.names)) - 1;
        const raw = this.#name();
        const inner = this.#value(shape.of, raw);
        return {
          size: `const ${raw} = tables[${table}].get(${value}); if (${raw} === undefined) ${DOUBT} ${inner.size}`,
          write: `const ${raw} = tables[${table}].get(${value}); ${inner.write}`,
        };
      }
      case 'fixed':
      case 'rest':
      case 'counted':
        return this.#bytes(shape, {
          value,
          length: `(${value} instanceof Uint8Array ? ${value}.length : -1)`,
          write: `b.set(${value}, p); p += ${value}.length;`,
        });
      case 'enclosed': {
        const [before, behind] = [constant(shape.before), constant(shape.behind)];
        return joined([before, this.#value(shape.of, value), behind]);
      }
      case 'nullable': {
        const [nothing, inner] = [constant(shape.mark), this.#value(shape.of, value)];
        const start = this.#name();
        const isMark = shape.mark.map((byte, index) => `b[${start} + ${index}] === ${byte}`).join(' && ');
        return {
          size: `if (${value} === null) { ${nothing.size} } else { ${inner.size} }`,
          write: `if (${value} === null) { ${nothing.write} } else { const ${start} = p; ${inner.write}
            if (p - ${start} >= ${shape.mark.length} && ${isMark}) return -1; }`,
        };
      }
      case 'decimal': {
        const digits = this.#name();
        return {
          size: `${isInteger(value, shape)} s += String(${value}).length + ${shape.end.length};`,
          write: `const ${digits} = String(${value}); for (let i = 0; i < ${digits}.length; i++) b[p++] = ${digits}.charCodeAt(i);
            ${constant(shape.end).write}`,
        };
      }
      case 'recursive':
        return this.#recursion(shape, value);
      case 'text':
        return this.#bytes(shape.bytes, {
          value,
          length: `textSize(${value}, '${shape.encoding}')`,
          write: `p = writeText(${value}, b, p, '${shape.encoding}');`,
        });
      case 'padded': {
        const length = this.#name();
        return {
          size: `const ${length} = textSize(${value}, 'ascii');
            if (${length} < 0 || ${length} > ${shape.size} || ${value}.includes('\\0')) ${DOUBT} s += ${shape.size};`,
          write: `b.fill(${shape.pad}, writeText(${value}, b, p, 'ascii'), p + ${shape.size}); p += ${shape.size};`,
        };
      }
      case 'record':
        return {
          size: `if (typeof ${value} !== 'object' || ${value} === null) ${DOUBT} ${this.part(shape.of, value).size}`,
          write: this.part(shape.of, value).write,
        };
      case 'list':
        return this.#list(shape, value);
      default:
        throw new NoCode();
    }
  }

  /** Bytes, or text as bytes, with what says how many there are. */
  #bytes(
    shape: Shape,
    content: { readonly value: string; readonly length: string; readonly write: string },
  ): Both {
    const length = this.#name();
    const measure = `const ${length} = ${content.length};`;
    switch (shape.kind) {
      case 'fixed':
        return {
          size: `${measure} if (${length} !== ${shape.size}) ${DOUBT} s += ${shape.size};`,
          write: content.write,
        };
      case 'rest':
        return { size: `${measure} ${outside(length, shape)} s += ${length};`, write: content.write };
      case 'until': {
        const end = constant(shape.end);
        return {
          size: `${measure} ${outside(length, shape)} if (holds(${content.value}, ${literal(ends(shape.end))})) ${DOUBT}
            s += ${length}; ${end.size}`,
          write: `${content.write} ${end.write}`,
        };
      }
      case 'counted': {
        const { length: header } = shape;
        const bound = `${measure} ${outside(length, shape)}`;
        if (header.kind === 'integer') {
          const start = this.#name();
          return {
            size: `${bound} s += ${header.width} + ${length};`,
            write: `const ${start} = p; p += ${header.width}; ${content.write}
              ${integerTo(`(p - ${start} - ${header.width})`, start, header)}`,
          };
        }
        this.remembers = true;
        if (header.kind === 'decimal') {
          const before = this.#value(header, length);
          return {
            size: `${bound} Z.push(${length}); s += ${length}; ${before.size}`,
            write: `const ${length} = Z[z++]; ${before.write} ${content.write}`,
          };
        }
        if (header.kind !== 'varint') throw new NoCode();
        return {
          size: `${bound} Z.push(${length}); s += ${length}; ${varintSize(length, header)}`,
          write: `const ${length} = Z[z++]; ${varintTo(length)} ${content.write}`,
        };
      }
      default:
        throw new NoCode();
    }
  }

  #within({ length, bias, of }: Extract<PartShape, { kind: 'within' }>, from: string): Both {
    if (length === undefined || of === undefined) throw new NoCode();
    const inner = this.part(of, from);
    const [before, covered] = [this.#name(), this.#name()];
    const range = rangeOf(length);
    if (length.kind === 'integer') {
      const count = `(p - ${before} - ${length.width} + ${bias})`;
      return {
        size: `s += ${length.width}; const ${before} = s; ${inner.size} const ${covered} = s - ${before} + ${bias};
          ${outside(covered, length, range)}`,
        write: `const ${before} = p; p += ${length.width}; ${inner.write} ${integerTo(count, before, length)}`,
      };
    }
    if (length.kind !== 'varint') throw new NoCode();
    this.remembers = true;
    const index = this.#name();
    return {
      size: `const ${index} = Z.push(0) - 1, ${before} = s; ${inner.size} const ${covered} = s - ${before} + ${bias};
        ${outside(covered, length, range)} Z[${index}] = ${covered}; ${varintSize(covered, length)}`,
      write: `const ${covered} = Z[z++]; ${varintTo(covered)} ${inner.write}`,
    };
  }

  #recursion(shape: Extract<Shape, { kind: 'recursive' }>, value: string): Both {
    const name = this.#recursions.get(shape.id) ?? `q${this.#recursions.size}`;
    if (!this.#recursions.has(shape.id)) {
      this.#recursions.set(shape.id, name);
      const of = shape.of();
      if (of === undefined) throw new NoCode();
      const inner = this.#value(of, 'v');
      this.units.push(
        `function ${name}s(v) { if (D >= ${shape.depth}) return -1; D++; let s = 0; ${inner.size} D--; return s > ${shape.max} ? -1 : s; }`,
        `function ${name}w(v, b, p) { ${inner.write} return p; }`,
      );
    }
    const size = this.#name();
    return {
      size: `const ${size} = ${name}s(${value}); if (${size} < 0) ${DOUBT} s += ${size};`,
      write: `p = ${name}w(${value}, b, p); if (p < 0) return -1;`,
    };
  }

  #list(shape: Extract<Shape, { kind: 'list' }>, value: string): Both {
    const { count } = shape;
    const item = this.#name();
    const each = this.#value(shape.of, item);
    const bounds = `if (!Array.isArray(${value})) ${DOUBT} ${outside(`${value}.length`, shape)}`;
    const loop = (code: string) => `for (const ${item} of ${value}) { ${code} }`;
    if (count === 'rest' || typeof count === 'number') {
      return { size: `${bounds} ${loop(each.size)}`, write: loop(each.write) };
    }
    if (!('kind' in count)) throw new NoCode();
    const length = this.#name();
    const counted = this.#value(count, length);
    const declare = `const ${length} = ${value}.length;`;
    return {
      size: `${bounds} ${declare} ${counted.size} ${loop(each.size)}`,
      write: `${declare} ${counted.write} ${loop(each.write)}`,
    };
  }

  #name(): string {
    return `w${this.#names++}`;
  }
}

function constant(bytes: readonly number[]): Both {
  if (bytes.length === 0) return { size: '', write: '' };
  const write = bytes.map((byte, index) => `b[p + ${index}] = ${byte};`).join(' ');
  return { size: `s += ${bytes.length};`, write: `${write} p += ${bytes.length};` };
}

function joined(all: readonly Both[]): Both {
  return {
    size: all.map(({ size }) => size).join(' '),
    write: all.map(({ write }) => write).join(' '),
  };
}

function declared(name: string, value: string, { size, write }: Both): Both {
  const declare = `const ${name} = ${value};`;
  return { size: `${declare} ${size}`, write: `${declare} ${write}` };
}

/** Names of the fields that a part brings. */
function keysOf(shape: PartShape): readonly string[] {
  switch (shape.kind) {
    case 'group':
      return shape.fields.map(({ key }) => key);
    case 'sequence':
      return shape.parts.flatMap(keysOf);
    case 'bits':
      return shape.bits.filter(({ kind }) => kind === 'flag' || kind === 'number').map(({ key }) => key);
    case 'within':
    case 'when':
      return shape.of === undefined ? [] : keysOf(shape.of);
    case 'cases':
      return shape.cases.flatMap(([, of]) => (of === undefined ? [] : keysOf(of)));
    case 'constant':
    case 'word':
      return [];
  }
}

/** What a message must not have is a doubt. */
function absent(keys: readonly string[], from: string): string {
  if (keys.length === 0) return '';
  return `if (${keys.map((key) => `${from}[${JSON.stringify(key)}] !== undefined`).join(' || ')}) ${DOUBT}`;
}

/** What ends a text is looked for in the text; where it is no text itself, nobody looks. */
function ends(bytes: readonly number[]): string {
  if (bytes.some((byte) => byte > 127)) throw new NoCode();
  return String.fromCharCode(...bytes);
}

/** Whether a text, or bytes, hold what ends them. */
function holds(value: string | Uint8Array, end: string): boolean {
  return typeof value === 'string' ? value.includes(end) : asText(value).includes(end);
}

function asText(bytes: Uint8Array): string {
  return textAt(bytes, 0, bytes.length, 'latin1') ?? '';
}

const NATURAL: Range = { min: -1, max: Number.MAX_SAFE_INTEGER };

function outside(value: string, { min, max }: Range, possible: Range = NATURAL): string {
  const tests = [
    ...(min > possible.min || possible !== NATURAL ? [`${value} < ${literal(min)}`] : []),
    ...(max < Number.MAX_SAFE_INTEGER ? [`${value} > ${literal(max)}`] : []),
  ];
  return tests.length === 0 ? '' : `if (${tests.join(' || ')}) ${DOUBT}`;
}

function isInteger(value: string, { min, max }: Range): string {
  const test = typeof min === 'bigint' ? `typeof ${value} !== 'bigint'` : `!Number.isInteger(${value})`;
  return `if (${test} || ${value} < ${literal(min)} || ${value} > ${literal(max)}) ${DOUBT}`;
}

function integerTo(value: string, at: string, shape: Extract<Shape, { kind: 'integer' }>): string {
  const { width, little } = shape;
  if (width === 8) {
    const half = { ...shape, width: 4 };
    const [high, low] = [
      `Number(BigInt.asUintN(32, ${value} >> 32n))`,
      `Number(BigInt.asUintN(32, ${value}))`,
    ];
    const [first, second] = little ? [low, high] : [high, low];
    return `${integerTo(first, at, half)} ${integerTo(second, `${at} + 4`, half)}`;
  }
  return Array.from({ length: width }, (_, index) => {
    const shift = 8 * (little ? index : width - 1 - index);
    return `b[${at}${index === 0 ? '' : ` + ${index}`}] = ${shift === 0 ? value : `${value} >>> ${shift}`};`;
  }).join(' ');
}

function varintSize(value: string, { form, max }: Extract<Shape, { kind: 'varint' }>): string {
  if (form === 'wide' || form === 'zigzag') throw new NoCode();
  let size = 's += 1';
  for (let bound = 128; bound <= Number(max); bound *= 128) size += ` + (${value} >= ${bound} ? 1 : 0)`;
  return `${size};`;
}

function varintTo(value: string): string {
  return `{ let n = ${value}; while (n > 127) { b[p++] = (n % 128) | 128; n = Math.floor(n / 128); } b[p++] = n; }`;
}

function bitsOf(bits: readonly BitShape[], size: number, from: string): Both {
  const checks: string[] = [];
  const terms: string[] = [];
  let low = size * 8;
  for (const { kind, key, width, min, max } of bits) {
    low -= width;
    const value = `${from}[${JSON.stringify(key)}]`;
    if (kind === 'constant') terms.push(`${(min * 2 ** low) >>> 0}`);
    else if (kind === 'presence') terms.push(`(${value} !== undefined ? ${2 ** low} : 0)`);
    else if (kind === 'flag') {
      checks.push(`if (typeof ${value} !== 'boolean') ${DOUBT}`);
      terms.push(`(${value} ? ${2 ** low} : 0)`);
    } else {
      checks.push(isInteger(value, { min, max }));
      terms.push(`(${value} << ${low})`);
    }
  }
  const whole = { kind: 'integer', width: size, little: false, signed: false, min: 0, max: 0 } as const;
  return {
    size: `${checks.join(' ')} s += ${size};`,
    write: `{ const x = ${terms.join(' | ')}; ${integerTo('x', 'p', whole)} p += ${size}; }`,
  };
}
