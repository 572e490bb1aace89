import {
  bytes,
  cases,
  decimal,
  enclosed,
  enumeration,
  type Field,
  frame,
  is,
  line,
  list,
  nullable,
  record,
  recursive,
  u8,
} from '../../../src/transport/fields/index.ts';

/** A value of RESP2. */
export type Value =
  | { readonly kind: 'simple'; readonly text: string }
  | { readonly kind: 'error'; readonly text: string }
  | { readonly kind: 'integer'; readonly number: number }
  | { readonly kind: 'bulk'; readonly content: Uint8Array | null }
  | { readonly kind: 'array'; readonly items: readonly Value[] | null };

const bulk = enclosed(bytes(decimal({ min: 0, max: 1_000_000 })), { behind: '\r\n' });
const count = decimal({ min: 0, max: 100_000 });

export const value: Field<Value> = recursive<Value>(
  { depth: 8, max: 10_000_000, leaf: { kind: 'integer', number: 0 } },
  (self) =>
    record(
      { kind: enumeration(u8(), { simple: 0x2b, error: 0x2d, integer: 0x3a, bulk: 0x24, array: 0x2a }) },
      cases('kind', {
        simple: [{ text: line() }],
        error: [{ text: line() }],
        integer: [{ number: decimal() }],
        bulk: [{ content: nullable(bulk, '-1\r\n') }],
        array: [{ items: nullable(list(count, self), '-1\r\n') }],
      }),
    ),
);

/** RESP2, Redis: a client sends arrays of bulk strings. */
export const resp = {
  client: {
    COMMAND: frame(is(u8(), 0x2a), {
      words: list(decimal({ min: 1, max: 1024 }), enclosed(bulk, { before: '$' })),
    }),
  },
  server: { REPLY: frame({ value }) },
};
