import { LocalError } from '../errors.ts';
import type { Fault } from '../fault.ts';

/** What is right content: a schema of zod, valibot, arktype or whoever else follows Standard Schema 1. */
export interface StandardSchema<T = object> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    /** The value as the schema has it, or what is wrong with it. */
    readonly validate: (value: unknown) => Validation<T> | Promise<Validation<T>>;
    readonly types?: { readonly input: unknown; readonly output: T } | undefined;
  };
}

type Validation<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

interface SchemaIssue {
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/**
 * The content as the schema has it, or what is wrong with it: where, and the kind of the issue. Its words, which may quote
 * what came, are left out.
 *
 * @throws LocalError for a schema that answers later: what comes behind the message would have to wait.
 */
export function validate<T>(
  schema: StandardSchema<T>,
  value: unknown,
  secret: ReadonlySet<string>,
): { readonly value: T } | { readonly fault: Fault } {
  const result = schema['~standard'].validate(value);
  if (result instanceof Promise) {
    result.catch(() => {});
    throw new LocalError(
      'a schema of a message has to answer at once: this one answers later',
      'faulty-field',
    );
  }
  if (result.issues === undefined) return { value: result.value };
  const [issue = {}] = result.issues;
  const { path = [] } = issue;
  const keys = path.map((step) => (typeof step === 'object' ? step.key : step));
  const hidden = keys.length === 0 ? secret.size > 0 : secret.has(String(keys[0]));
  return {
    fault: {
      kind: 'value',
      field: (hidden ? keys.slice(0, 1) : keys).reduce<string>(pathOf, ''),
      offset: 0,
      expected: `content that its schema takes${hidden ? '' : kindOf(issue)}`,
      got: undefined,
    },
  };
}

/** Zod and arktype call it `code`, valibot `type`: `invalid_type`. */
function kindOf(issue: SchemaIssue): string {
  const kind: unknown = Reflect.get(issue, 'code') ?? Reflect.get(issue, 'type');
  return typeof kind === 'string' && /^[a-z_]{1,32}$/.test(kind) ? ` (${kind})` : '';
}

/** Keys are told where they look like names: in a map they may be anything. */
function pathOf(path: string, key: PropertyKey): string {
  if (typeof key === 'number') return `${path}[${key}]`;
  const name = typeof key === 'string' && /^[\w$-]{1,48}$/.test(key) ? key : '*';
  return path === '' ? name : `${path}.${name}`;
}
