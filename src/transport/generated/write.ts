import type { Field, Sizes } from '../fields/field.ts';
import type { BitShape, PartShape, Shape } from '../fields/shape.ts';
import { textSize, writeText } from '../fields/text-at.ts';
import { allowed, bounded, conditionOf, NoCode, NUMBERS, SIZES } from './code.ts';

/** Writes messages whose values are all right; the closures say what is wrong with others. */
export interface WriteWhole {
  /** Bytes of the whole frame; negative on any doubt. */
  size(message: object, sizes: Sizes): number;
  /** Writes what was sized last, and answers the index after it. */
  write(message: object, into: Uint8Array, at: number, sizes: Sizes): number;
}

/** Code that writes frames of this shape; `undefined` where there is none to be had. */
export function generateWrite(shape: PartShape | undefined): WriteWhole | undefined {
  if (!allowed || shape === undefined) return undefined;
  const code = new WriteCode();
  try {
    const { size, write } = code.part(shape);
    const source = `'use strict'; let ${['n', ...code.kept].join(', ')}; return {
      size(m, S) { let s = 0; ${size} return s; }, write(m, b, p, S) { ${write} return p; } };`;
    return new Function('textSize', 'writeText', 'fields', source)(textSize, writeText, code.fields);
  } catch (error) {
    if (error instanceof NoCode) return undefined;
    throw error;
  }
}

/** Code that adds to `s` what something takes, and code that writes it to `b` at `p`. */
interface Both {
  readonly size: string;
  readonly write: string;
}

const DOUBT = 'return -1;';

class WriteCode {
  /** Fields that are asked. */
  readonly fields: Field<unknown>[] = [];
  /** What the first pass tells the second. */
  readonly kept: string[] = [];
  #values = 0;

  part(shape: PartShape): Both {
    switch (shape.kind) {
      case 'constant':
        return {
          size: `s += ${shape.bytes.length};`,
          write: `${[...shape.bytes].map((byte) => `b[p++] = ${byte};`).join(' ')}`,
        };
      case 'sequence': {
        const all = shape.parts.map((part) => this.part(part));
        return {
          size: all.map(({ size }) => size).join(' '),
          write: all.map(({ write }) => write).join(' '),
        };
      }
      case 'field': {
        // Not kept: it may be large.
        const value = `w${this.#values++}`;
        const declared = `const ${value} = ${of(shape.key)};`;
        const { size, write } = this.#value(shape.field, value);
        return {
          size: `${declared} if (${value} === undefined) ${DOUBT} ${size}`,
          write: `${declared} ${write}`,
        };
      }
      case 'bits':
        return bitsOf(shape.bits, shape.size);
      case 'when': {
        const value = of(shape.key);
        const is = shape.test.kind === 'present' ? `${value} !== undefined` : conditionOf(shape.test, value);
        const { size, write } = this.part(shape.of);
        const surplus = keysOf(shape.of).map((key) => `${of(key)} !== undefined`);
        return {
          size: `if (${is}) { ${size} } else if (${surplus.join(' || ') || 'false'}) ${DOUBT}`,
          write: `if (${is}) { ${write} }`,
        };
      }
      case 'within': {
        const [before, covered] = [this.#keep(), this.#keep()];
        const inner = this.part(shape.of);
        const length = this.#value(shape.length, covered);
        return {
          size: `${before} = s; ${inner.size} ${covered} = s - ${before} + ${shape.bias}; ${length.size}`,
          write: `${length.write} ${inner.write}`,
        };
      }
      default:
        throw new NoCode();
    }
  }

  /** A value, which is kept under a name; a field that the code has no words for is asked. */
  #value(field: Field<unknown>, value: string): Both {
    const { shape } = field;
    const isVarint = shape?.kind === 'varint' && (shape.form === 'shortest' || shape.form === 'leb128');
    if (isVarint || (shape?.kind === 'integer' && shape.width < 8)) {
      const check = `if (!Number.isInteger(${value})) ${DOUBT} ${bounded(value, shape, NUMBERS, DOUBT)}`;
      if (shape.kind === 'integer')
        return { size: `${check} s += ${shape.width};`, write: integerTo(value, shape) };
      const groups = `for (n = ${value}; n > 127; n = Math.floor(n / 128))`;
      return {
        size: `${check} ${groups} s++; s++;`,
        write: `${groups} b[p++] = (n % 128) | 128; b[p++] = n;`,
      };
    }
    const bytes = shape?.kind === 'bytes' || shape?.kind === 'text' ? shape : undefined;
    if (bytes !== undefined && bytes.amount.end.length === 0) {
      const length = this.#keep();
      const { count, min, max } = bytes.amount;
      const number = count && this.#value(count, length);
      const isText = bytes.kind === 'text';
      const measure = isText
        ? `${length} = textSize(${value}, '${bytes.encoding}');`
        : `${length} = ${value} instanceof Uint8Array ? ${value}.length : -1;`;
      const check = bounded(length, { min, max }, isText ? SIZES : NUMBERS, DOUBT);
      const content = isText
        ? `p = writeText(${value}, b, p, '${bytes.encoding}');`
        : `b.set(${value}, p); p += ${length};`;
      return {
        size: `${measure} ${check} ${number?.size ?? ''} s += ${length};`,
        write: `${number?.write ?? ''} ${content}`,
      };
    }
    const asked = `fields[${this.fields.push(field) - 1}]`;
    return { size: `s += ${asked}.size(${value}, S);`, write: `p = ${asked}.write(${value}, b, p, S);` };
  }

  #keep(): string {
    const name = `v${this.kept.length}`;
    this.kept.push(name);
    return name;
  }
}

const of = (key: string): string => `m[${JSON.stringify(key)}]`;

/** Names of the fields that a part brings. */
function keysOf(shape: PartShape): readonly string[] {
  switch (shape.kind) {
    case 'field':
      return [shape.key];
    case 'sequence':
      return shape.parts.flatMap(keysOf);
    case 'bits':
      return shape.bits.filter(({ kind }) => kind === 'flag' || kind === 'number').map(({ key }) => key);
    case 'within':
    case 'when':
      return keysOf(shape.of);
    case 'cases':
      return shape.cases.flatMap(([, of]) => keysOf(of));
    case 'constant':
      return [];
  }
}

type IntegerShape = Pick<Extract<Shape, { kind: 'integer' }>, 'width' | 'little'>;

function integerTo(value: string, { width, little }: IntegerShape): string {
  return Array.from({ length: width }, (_, index) => {
    const shift = 8 * (little ? index : width - 1 - index);
    return `b[p++] = ${shift === 0 ? value : `${value} >>> ${shift}`};`;
  }).join(' ');
}

function bitsOf(bits: readonly BitShape[], size: number): Both {
  const checks: string[] = [];
  const terms: string[] = [];
  let low = size * 8;
  for (const { kind, key, width, min, max } of bits) {
    low -= width;
    const value = of(key);
    if (kind === 'constant') terms.push(`${(min * 2 ** low) >>> 0}`);
    else if (kind === 'presence') terms.push(`(${value} !== undefined ? ${2 ** low} : 0)`);
    else if (kind === 'flag') {
      checks.push(`if (typeof ${value} !== 'boolean') ${DOUBT}`);
      terms.push(`(${value} ? ${2 ** low} : 0)`);
    } else {
      checks.push(`if (!Number.isInteger(${value}) || ${value} < ${min} || ${value} > ${max}) ${DOUBT}`);
      terms.push(`(${value} << ${low})`);
    }
  }
  return {
    size: `${checks.join(' ')} s += ${size};`,
    write: `n = ${terms.join(' | ')}; ${integerTo('n', { width: size, little: false })}`,
  };
}
