import { DeclarationError } from '../errors.ts';
import type { Frame } from '../frame.ts';
import { JsonDecoder } from './json-decoder.ts';
import { type JsonDeclaration, JsonMessage } from './json-message.ts';
import { Discriminator, type Element, type Pattern, type some } from './pattern.ts';
import type { StandardSchema } from './schema.ts';

/** What {@link json} takes beside the discriminator. */
export interface JsonOptions<T extends object = object> {
  /**
   * What the content has to be, as it stands on the wire; of an array, its elements by their names. Asked once the order
   * is found right, and never before. Default: any content.
   */
  readonly schema?: StandardSchema<T> | undefined;
  /** Fields that are never shown in logs, inspectors, reports and errors. Default: none. */
  readonly secret?: readonly string[] | undefined;
  /** Bytes of the text, at most. Default: 1 MiB. */
  readonly max?: number | undefined;
}

type NamesIn<P> = P extends readonly (infer E)[]
  ? E extends Element<infer N>
    ? N
    : never
  : { [K in keyof P]: P[K] extends typeof some ? K : never }[keyof P];

/** The fields of a message without a schema: those that its discriminator names, and whatever else came. */
type Unjudged<P> = { readonly [K in NamesIn<P>]: unknown } & { readonly [field: string]: unknown };

/** The fields that a schema answers; `type` is the name of the message. */
type Judged<T> = T extends unknown
  ? { readonly [K in keyof T as K extends 'type' ? never : K]: T[K] }
  : never;

const MOST = 1024 * 1024;

/**
 * Declares a message that is a JSON text of its own, told from others by constants in it. Its fields are those of the
 * object; one called `type` gives its place to the name of the message. How the texts are kept apart on the way is the
 * protocol's `envelope`.
 *
 * @example
 * ```ts
 * json({ type: 'subscribe' }, { schema: z.object({ id: z.string(), payload: z.object({ query: z.string() }) }) })
 * json({ jsonrpc: '2.0', method: 'initialize', id: some })
 * json([2, element('id'), 'Heartbeat', element('payload')])
 * ```
 * @throws DeclarationError where nothing tells it from others, or a field would be called `type`.
 */
export function json<const P extends Pattern, T extends object = never>(
  pattern: P,
  options: JsonOptions<T> = {},
): Frame<[T] extends [never] ? Unjudged<P> : Judged<T>> {
  const discriminator = new Discriminator(pattern);
  const { present, constants } = discriminator;
  if (constants.size + present.size === 0)
    throw new DeclarationError('nothing tells a message from others: name a key that it has');
  if ([...present.values()].includes('type'))
    throw new DeclarationError('a field cannot be called type: that is the name of the message');
  return framed({
    told: discriminator,
    schema: options.schema,
    secret: new Set(options.secret),
    max: options.max ?? MOST,
  });
}

/**
 * Declares as a message that its sender closes the WebSocket with this status: for verdicts, answers and the machine. A
 * close without a status, or with 1000 or 1001, is the end of the stream, and no message.
 *
 * @example `'server.UNAUTHORIZED': closing(4401, 'Unauthorized')`
 * @throws DeclarationError for a status that no program may give, or a reason of more than 123 bytes.
 */
export function closing(status: number, reason = ''): Frame<object> {
  const { length } = new TextEncoder().encode(reason);
  const isGiven =
    Number.isInteger(status) &&
    status >= 1002 &&
    status <= 4999 &&
    ![1004, 1005, 1006, 1015].includes(status);
  if (!isGiven || length > 123)
    throw new DeclarationError(`closing ${status}: expected a status of 1002..4999, and at most 123 bytes`);
  return framed({ told: { status, reason }, schema: undefined, secret: new Set(), max: 125 });
}

function framed(declared: JsonDeclaration): Frame<never> {
  return new JsonMessage(declared, (entries, envelope) => new JsonDecoder(entries, envelope)).frame;
}
