import { expectTypeOf, test } from 'vitest';
import {
  above,
  bits,
  bytes,
  cases,
  checked,
  crc32,
  enumeration,
  type Field,
  type Frame,
  flag,
  frame,
  is,
  isBits,
  list,
  nullable,
  presence,
  present,
  record,
  text,
  u8,
  u16be,
  u64be,
  ubits,
  when,
  within,
} from '../../../src/transport/fields/index.ts';

type MessageOf<F> = F extends Frame<infer Fields> ? Fields : never;

test('the fields of a message follow from its parts', () => {
  const plain = frame(is(u8(), 1), { a: u8(), b: text('u8') }, within('u16be', { c: bytes('rest') }));
  expectTypeOf<MessageOf<typeof plain>>().toEqualTypeOf<{
    readonly a: number;
    readonly b: string;
    readonly c: Uint8Array;
  }>();
  const nested = frame({
    all: list('u8', record({ id: u64be() }, is(u8(), 0), { name: nullable(text('u8'), '-') })),
  });
  expectTypeOf<MessageOf<typeof nested>>().toEqualTypeOf<{
    readonly all: readonly { readonly id: bigint; readonly name: string | null }[];
  }>();
  const summed = frame(checked(crc32(), { kind: enumeration(u8(), { on: 1, off: 0 }) }));
  expectTypeOf<MessageOf<typeof summed>>().toEqualTypeOf<{ readonly kind: 'on' | 'off' }>();
});

test('bits are flags and numbers; constants and presences are none of the message', () => {
  const publish = frame(
    bits({ kind: isBits(3, 4), dup: flag(), qos: ubits(2, { max: 2 }), hasId: presence('id') }),
    when('id', present, { id: u16be() }),
    when('qos', above(0), { more: u8() }),
  );
  expectTypeOf<MessageOf<typeof publish>>().toEqualTypeOf<{
    readonly dup: boolean;
    readonly qos: number;
    readonly id?: number;
    readonly more?: number;
  }>();
  publish.size({ dup: true, qos: 0 });
  // @ts-expect-error: qos is missing
  publish.size({ dup: true });
  // @ts-expect-error: a constant is no field
  publish.size({ dup: true, qos: 0, kind: 3 });
});

test('a choice is a union that narrows', () => {
  const choice = frame(
    { kind: enumeration(u8(), { word: 1, number: 2 }), version: u8() },
    cases('kind', { word: [{ text: text('u8') }], number: [is(u8(), 9), { value: u16be() }] }),
    cases('version', { 1: [], 2: [{ extra: u8() }] }),
  );
  const take = (message: MessageOf<typeof choice>): string | number => {
    if (message.kind === 'word') return message.text;
    // @ts-expect-error: a number has no text
    message.text;
    if (message.version === 2) return message.extra;
    // @ts-expect-error: version 1 has no more
    message.extra;
    return message.value;
  };
  expectTypeOf(take).toBeFunction();
  choice.size({ kind: 'word', version: 1, text: '' });
  // @ts-expect-error: the value of a number is missing
  choice.size({ kind: 'number', version: 1, text: '' });
});

test('names that no field can have do not compile, here or in parts of parts', () => {
  const refused = () => [
    // @ts-expect-error: type is the name of the message
    frame({ type: u8() }),
    // @ts-expect-error: type is the name of the message
    frame(is(u8(), 1), within('u8', { a: u8(), type: u8() })),
    // @ts-expect-error: the same name twice
    frame({ a: u8() }, is(u8(), 1), { a: u8() }),
    // @ts-expect-error: the same name twice
    frame({ a: u8() }, within('u8', { a: u8() })),
    // @ts-expect-error: the same name twice
    frame({ a: u8() }, when('a', above(0), { a: u8() })),
    // @ts-expect-error: a number does not keep its place
    frame({ 1: u8() }),
    // @ts-expect-error: a number does not keep its place
    frame({ b: u8(), '17': u8() }),
    // @ts-expect-error: the same name twice
    record({ a: u8() }, { a: u8() }),
    // @ts-expect-error: no field
    frame({ a: 7 }),
  ];
  expectTypeOf(refused).toBeFunction();
  // In a record it is a name as any other.
  expectTypeOf(record({ type: u8() })).toEqualTypeOf<Field<{ readonly type: number }>>();
});
