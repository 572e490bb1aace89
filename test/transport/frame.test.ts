import fc from 'fast-check';
import { expect, test } from 'vitest';
import { accountChat } from '../../src/protocols/account-chat/protocol.ts';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { LocalError } from '../../src/transport/errors.ts';
import { bytes, type Field, is, text, u8, u16be } from '../../src/transport/fields/index.ts';
import { type Frame, frame } from '../../src/transport/frame.ts';
import type { AnyProtocol } from '../../src/transport/protocol.ts';
import { decodeFrame } from '../support/decode-frame.ts';

test('a frame is its constants and its fields in the order of the wire, both ways', () => {
  const layout = frame(is(u8(), 7), { size: u16be() }, is(u8(), 8), { name: text('u8'), flag: u8() });
  const message = { size: 0x0102, name: 'xy', flag: 9 };
  const wire = new Uint8Array(layout.size(message) + 1);
  expect(layout.write(message, wire, 1)).toBe(9);
  expect(wire).toEqual(Uint8Array.of(0, 7, 1, 2, 8, 2, 120, 121, 9));
  expect([layout.minimum, layout.maximum]).toEqual([6, 261]);
  expect(layout.constant).toBeUndefined();
  expect(frame(is(u8(), 4)).constant).toEqual(Buffer.of(4));
});

test.each<[string, () => unknown]>([
  ['at least one byte', () => frame()],
  ['nothing covers it', () => frame(is(u8(), 1), { name: bytes('rest') })],
  ['two fields have the same name', () => frame(...named('a'), ...named('a'))],
  ['cannot be called type', () => frame(...named('type'))],
  ['cannot be called by a number', () => frame(...named('17'))],
])('parts that cannot be read are a TypeError: %s', (message, declare) => {
  expect(declare).toThrow(TypeError);
  expect(declare).toThrow(message);
});

/** A field whose name the compiler does not see. */
function named(name: string): readonly { readonly [key: string]: Field<number> }[] {
  return [{ [name]: u8() }];
}

const protocols: readonly AnyProtocol[] = [messageLog, accountChat];
const samples = protocols.flatMap((protocol) =>
  Object.entries(protocol.samples('u').messages).map(
    ([id, { message }]) => [`${protocol.name} ${id}`, protocol, message] as const,
  ),
);

test.each(samples)('%s: encode and decode are inverse', (_, protocol, message) => {
  const { bytes, event } = protocol.encode(message);
  const sender = message.type.startsWith('client.') ? 'client' : 'server';
  const decoded = decodeFrame(protocol.decoder(sender), bytes);
  expect(plain(decoded)).toEqual(plain(message));
  expect(protocol.table.events[event]).toBe(message.type);
  for (let end = 0; end < bytes.length; end++) {
    expect(decodeFrame(protocol.decoder(sender), bytes.subarray(0, end))).toBeUndefined();
  }
});

/** Views and Buffers of equal bytes are equal. */
function plain(message: object | undefined): unknown {
  return JSON.parse(JSON.stringify(message), (_, value: unknown) =>
    value instanceof Object && 'type' in value && value.type === 'Buffer' && 'data' in value
      ? { ...Object(value.data) }
      : value,
  );
}

test('encode and decode are inverse for any payload of message-log', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('client.NAME', 'client.PASSWORD', 'client.MESSAGE'),
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      (type, payload) => {
        const { bytes } = messageLog.encode({ type, payload });
        expect(bytes.subarray(1, 3)).toEqual(Buffer.of(payload.length & 255, payload.length >> 8));
        expect(decodeFrame(messageLog.decoder('client'), bytes)).toEqual({ type, payload });
      },
    ),
    { seed: 11, numRuns: 500 },
  );
});

test('a message of another protocol, or of none, is a LocalError', () => {
  const whichever: AnyProtocol = messageLog;
  expect(() => whichever.encode({ type: 'client.LOG' })).toThrow(LocalError);
  expect(() => whichever.encode({ type: 'client.LOG' })).toThrow(
    'message-log: no message is called client.LOG',
  );
});

test('a frame of the size that a layout allows at most is no more', () => {
  const layout: Frame<{ readonly payload: Uint8Array }> = frame(is(u8(), 3), {
    payload: bytes('u16le', { min: 1 }),
  });
  expect(layout.size({ payload: new Uint8Array(65_535) })).toBe(layout.maximum);
  expect(layout.size({ payload: new Uint8Array(1) })).toBe(layout.minimum);
});
