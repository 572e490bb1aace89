import fc from 'fast-check';
import { expect, test } from 'vitest';
import { accountChat } from '../../src/protocols/account-chat/protocol.ts';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { LocalError } from '../../src/transport/errors.ts';
import { bytes, optionalRest, tag, text, u8, u16be } from '../../src/transport/field.ts';
import { type Frame, frame } from '../../src/transport/frame.ts';
import type { AnyProtocol } from '../../src/transport/protocol.ts';
import { decodeFrame } from '../support/decode-frame.ts';

test('a frame is its tags and its fields in the order of the wire, both ways', () => {
  const layout = frame({ a: tag(7), b: tag(8), size: u16be(), name: text('u8'), flag: u8() });
  const message = { size: 0x0102, name: 'xy', flag: 9 };
  const wire = new Uint8Array(layout.size(message) + 1);
  expect(layout.write(message, wire, 1)).toBe(9);
  expect(wire).toEqual(Uint8Array.of(0, 7, 8, 1, 2, 2, 120, 121, 9));
  expect([layout.minimum, layout.maximum, layout.tags]).toEqual([6, 261, [7, 8]]);
  expect(layout.constant).toBeUndefined();
  expect(frame({ code: tag(4) }).constant).toEqual(Buffer.of(4));
});

test('an optional rest is written out empty', () => {
  const layout = frame({ code: tag(4), status: u8(), rest: optionalRest('u16be', 0) });
  const wire = new Uint8Array(layout.size({ status: 1 }));
  layout.write({ status: 1 }, wire, 0);
  expect(wire).toEqual(Uint8Array.of(4, 1, 0, 0));
});

test.each<[string, () => unknown]>([
  ['begins with a tag', () => frame({ name: u8() })],
  ['begins with a tag', () => frame({})],
  ['late: a tag stands before the fields', () => frame({ code: tag(1), name: u8(), late: tag(2) })],
  [
    'more: nothing can follow the optional rest',
    () => frame({ code: tag(1), rest: optionalRest('u16be', 0), more: u8() }),
  ],
])('a layout that cannot be read is a TypeError: %s', (message, declare) => {
  expect(declare).toThrow(TypeError);
  expect(declare).toThrow(message);
});

const protocols: readonly AnyProtocol[] = [messageLog, accountChat];
const samples = protocols.flatMap((protocol) =>
  Object.entries(protocol.samples('u').messages).map(
    ([id, { message }]) => [`${protocol.name} ${id}`, protocol, message] as const,
  ),
);

test.each(samples)('%s: encode and decode are inverse', (_, protocol, message) => {
  const { bytes, event } = protocol.encode(message);
  const sender = message.type.startsWith('client.') ? 'client' : 'server';
  const decoded = decodeFrame(protocol.decoders[sender], bytes);
  expect(plain(decoded)).toEqual(plain(message));
  expect(protocol.table.events[event]).toBe(message.type);
  for (let end = 0; end < bytes.length; end++) {
    expect(decodeFrame(protocol.decoders[sender], bytes.subarray(0, end))).toBeUndefined();
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
        expect(decodeFrame(messageLog.decoders.client, bytes)).toEqual({ type, payload });
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
  const layout: Frame<{ readonly payload: Uint8Array }> = frame({
    code: tag(3),
    payload: bytes('u16le', { min: 1 }),
  });
  expect(layout.size({ payload: new Uint8Array(65_535) })).toBe(layout.maximum);
  expect(layout.size({ payload: new Uint8Array(1) })).toBe(layout.minimum);
});
