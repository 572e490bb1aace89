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
 * be there; or by constants among the elements of an array of that length.
 */
export type Pattern =
  | { readonly [key: string]: Constant | typeof some | typeof none }
  | readonly (Constant | Element)[];

/** A value as JSON has it, an object or an array. */
export type Composite = Readonly<Record<string, unknown>> | readonly unknown[];

/** A {@link Pattern} made ready: keys of an array are its indices. */
export class Discriminator {
  readonly #length: number | undefined;
  readonly constants: ReadonlyMap<string, Constant>;
  /** Keys that must be there, and under which name they are fields. */
  readonly present: ReadonlyMap<string, string>;
  readonly #absent: readonly string[];

  constructor(pattern: Pattern) {
    const steps = Object.entries<Constant | Element | symbol>(pattern);
    this.#length = Array.isArray(pattern) ? pattern.length : undefined;
    this.constants = new Map(
      steps.flatMap(([key, step]) => (typeof step === 'symbol' || isElement(step) ? [] : [[key, step]])),
    );
    this.present = new Map(
      steps.flatMap(([key, step]) =>
        step === some ? [[key, key]] : isElement(step) ? [[key, step.element]] : [],
      ),
    );
    this.#absent = steps.flatMap(([key, step]) => (step === none ? [key] : []));
  }

  /** Whether it is about arrays. */
  get isArray(): boolean {
    return this.#length !== undefined;
  }

  fits(value: Composite): boolean {
    if ((Array.isArray(value) ? value.length : undefined) !== this.#length) return false;
    for (const [key, constant] of this.constants) if (Reflect.get(value, key) !== constant) return false;
    if (this.isArray) return true;
    for (const key of this.present.keys()) if (!Object.hasOwn(value, key)) return false;
    return this.#absent.every((key) => !Object.hasOwn(value, key));
  }

  /** The fields of a value that fits: an object is its own. */
  fieldsOf(value: Composite): Readonly<Record<string, unknown>> {
    if (!isList(value)) return value;
    return Object.fromEntries([...this.present].map(([key, name]) => [name, value[Number(key)]]));
  }

  /** What says these fields on the wire. */
  valueOf(fields: Readonly<Record<string, unknown>>): Composite {
    const constants = Object.fromEntries(this.constants);
    if (this.#length === undefined) return { ...constants, ...fields, type: undefined, ...constants };
    return Array.from({ length: this.#length }, (_, index) => {
      const name = this.present.get(`${index}`);
      return name === undefined ? constants[index] : fields[name];
    });
  }

  /** Whether no value can fit both. */
  excludes(other: Discriminator): boolean {
    if (this.#length !== other.#length) return true;
    const differs = [...this.constants].some(
      ([key, constant]) => other.constants.has(key) && other.constants.get(key) !== constant,
    );
    return differs || this.#misses(other) || other.#misses(this);
  }

  #misses(other: Discriminator): boolean {
    return this.#absent.some((key) => other.constants.has(key) || other.present.has(key));
  }

  /** In words: `method "exit", id present`. */
  get says(): string {
    const words = [
      ...[...this.constants].map(([key, constant]) => `${key} ${JSON.stringify(constant)}`),
      ...[...this.present].map(([key, name]) => (key === name ? `${key} present` : `${key} ${name}`)),
      ...this.#absent.map((key) => `${key} absent`),
    ];
    return words.join(', ');
  }
}

function isList(value: Composite): value is readonly unknown[] {
  return Array.isArray(value);
}

function isElement(step: unknown): step is Element {
  return typeof step === 'object' && step !== null && 'element' in step;
}
