/** In the place of a constant: the field must be there, whatever it holds. */
export const some: unique symbol = Symbol('some');
/** In the place of a constant: the field must not be there. */
export const none: unique symbol = Symbol('none');

/** What a discriminator holds. */
export type Constant = string | number | boolean | null;

/** An element of an array, which is a field of the message under this name. */
export interface Element<N extends string = string> {
  readonly element: N;
}

/** Names an element: `[2, element('id'), 'Heartbeat', element('payload')]`. */
export function element<const N extends string>(name: N): Element<N> {
  return { element: name };
}

/**
 * How a message is told from others: by constants under some of the keys of an object, and keys that must, or must not,
 * be there; or by constants among the elements of an array of that length. What a key holds may be told so again:
 * `{ id: some, error: { code: -32002 } }`.
 */
export type Pattern = ObjectPattern | readonly (Constant | Element)[];

/** {@link Pattern} of an object. */
export interface ObjectPattern {
  readonly [key: string]: Constant | typeof some | typeof none | ObjectPattern;
}

/** A value as JSON has it, an object or an array. */
export type Composite = Readonly<Record<string, unknown>> | readonly unknown[];

/** A {@link Pattern} made ready: keys of an array are its indices. */
export class Discriminator {
  readonly #length: number | undefined;
  readonly constants = new Map<string, Constant>();
  /** Keys that must be there, and under which name they are fields. */
  readonly present = new Map<string, string>();
  readonly #inside = new Map<string, Discriminator>();
  readonly #absent: string[] = [];
  /** The same as arrays, which are quicker to go through. */
  readonly #template: Readonly<Record<string, Constant>>;
  /** What a text begins with, where it may begin with all the constants. */
  readonly #begin: string | undefined;
  readonly #constants: readonly (readonly [string, Constant])[];
  readonly #keys: readonly string[];

  constructor(pattern: Pattern) {
    this.#length = Array.isArray(pattern) ? pattern.length : undefined;
    for (const [key, step] of Object.entries<Constant | symbol | Element | ObjectPattern>(pattern)) {
      if (step === none) this.#absent.push(key);
      else if (typeof step === 'symbol') this.present.set(key, key);
      else if (typeof step !== 'object' || step === null) this.constants.set(key, step);
      else if (isElement(step)) this.present.set(key, step.element);
      else {
        this.present.set(key, key);
        this.#inside.set(key, new Discriminator(step));
      }
    }
    this.#constants = [...this.constants];
    this.#template = Object.fromEntries(this.constants);
    const isPlain = this.#length === undefined && this.#inside.size === 0 && this.constants.size > 0;
    this.#begin = isPlain ? JSON.stringify(this.#template).slice(0, -1) : undefined;
    this.#keys = [...this.present.keys()];
  }

  /** Whether a value is of this kind. */
  fits(value: Composite): boolean {
    if ((isList(value) ? value.length : undefined) !== this.#length) return false;
    for (const [key, constant] of this.#constants) if (Reflect.get(value, key) !== constant) return false;
    if (this.#length !== undefined) return true;
    for (const key of this.#keys) if (!Object.hasOwn(value, key)) return false;
    for (const key of this.#absent) if (Object.hasOwn(value, key)) return false;
    for (const [key, inside] of this.#inside) {
      const part: unknown = Reflect.get(value, key);
      if (!isComposite(part) || !inside.fits(part)) return false;
    }
    return true;
  }

  /** The fields of a value that fits: an object is its own. */
  fieldsOf(value: Composite): Readonly<Record<string, unknown>> {
    if (!isList(value)) return value;
    return Object.fromEntries([...this.present].map(([key, name]) => [name, value[Number(key)]]));
  }

  /** The JSON of a message. Mostly its own text says all, behind its name: to copy it first would cost more than the rest. */
  textOf(message: { readonly type?: string }): string {
    if (this.#begin !== undefined && !this.#constants.some(([key]) => key !== 'type' && key in message)) {
      const text = JSON.stringify(message);
      const name = `{"type":"${message.type}"`;
      if (text.startsWith(name)) return this.#begin + text.slice(name.length);
    }
    return JSON.stringify(this.valueOf(message));
  }

  /** What says these fields on the wire, constants first. The `type` of a message is its name, and is not said. */
  valueOf(fields: object, isMessage = true): Composite {
    const value: Record<string, unknown> = { ...this.#template, ...fields };
    if (isMessage) value['type'] = undefined;
    for (const [key, constant] of this.#constants) value[key] = constant;
    for (const [key, inside] of this.#inside) {
      const part = value[key];
      value[key] = inside.valueOf(isComposite(part) ? part : {}, false);
    }
    if (this.#length === undefined) return value;
    return Array.from({ length: this.#length }, (_, index) => value[this.present.get(`${index}`) ?? index]);
  }

  /** Whether no value can fit both. */
  excludes(other: Discriminator): boolean {
    if (this.#length !== other.#length) return true;
    for (const [key, constant] of this.constants)
      if (other.#inside.has(key) || (other.constants.has(key) && other.constants.get(key) !== constant))
        return true;
    for (const [key, inside] of this.#inside) {
      const there = other.#inside.get(key);
      if (other.constants.has(key) || (there !== undefined && inside.excludes(there))) return true;
    }
    return this.#misses(other) || other.#misses(this);
  }

  #misses(other: Discriminator): boolean {
    return this.#absent.some((key) => other.constants.has(key) || other.present.has(key));
  }

  /** In words: `method "exit", id present`. */
  get says(): string {
    const words = [
      ...[...this.constants].map(([key, constant]) => `${key} ${JSON.stringify(constant)}`),
      ...[...this.present].map(
        ([key, name]) => `${key} ${this.#inside.get(key)?.says ?? (key === name ? 'present' : name)}`,
      ),
      ...this.#absent.map((key) => `${key} absent`),
    ];
    return words.join(', ');
  }
}

/** Whether it is an object or an array. */
export function isComposite(value: unknown): value is Composite {
  return typeof value === 'object' && value !== null;
}

function isList(value: Composite): value is readonly unknown[] {
  return Array.isArray(value);
}

function isElement(step: object): step is Element {
  return 'element' in step && typeof step.element === 'string';
}
