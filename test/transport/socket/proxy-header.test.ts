import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LONGEST_HEADER, readProxyHeader } from '../../../src/transport/socket/proxy-header.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const text = (line: string) => Buffer.from(line, 'latin1');
const hex = (bytes: string) => Buffer.from(bytes.replaceAll(' ', ''), 'hex');

const V4 = text('PROXY TCP4 192.0.2.7 198.51.100.1 40000 5555\r\n');
const BINARY_V4 = hex(`${SIGNATURE} 21 11 000c c0000207 c6336401 9c40 15b3`);
const BINARY_V6 = hex(
  `${SIGNATURE} 21 21 0028 20010db8000100020003000400050006 20010db8000000000000000000000001 9c40 15b3 0300 01 61`,
);

test('both versions name the peer, and what comes behind is not theirs', () => {
  const peer = { host: '192.0.2.7', port: 40_000 };
  expect(readProxyHeader(V4)).toEqual({ kind: 'header', peer, length: V4.length });
  expect(readProxyHeader(Buffer.concat([V4, text('NAME')]))).toEqual({
    kind: 'header',
    peer,
    length: V4.length,
  });
  expect(readProxyHeader(BINARY_V4)).toEqual({ kind: 'header', peer, length: 28 });
  expect(readProxyHeader(BINARY_V6)).toEqual({
    kind: 'header',
    peer: { host: '2001:db8:1:2:3:4:5:6', port: 40_000 },
    length: 56,
  });
  expect(readProxyHeader(text('PROXY TCP6 2001:db8::7 2001:db8::1 40000 5555\r\n'))).toMatchObject({
    peer: { host: '2001:db8::7', port: 40_000 },
  });
});

test('a proxy that speaks for itself, or does not know, names nobody', () => {
  expect(readProxyHeader(text('PROXY UNKNOWN\r\n'))).toEqual({ kind: 'header', peer: undefined, length: 15 });
  expect(readProxyHeader(text('PROXY UNKNOWN what ever\r\n'))).toMatchObject({ peer: undefined });
  expect(readProxyHeader(hex(`${SIGNATURE} 20 00 0000`))).toEqual({
    kind: 'header',
    peer: undefined,
    length: 16,
  });
  expect(readProxyHeader(hex(`${SIGNATURE} 21 31 0004 01020304`))).toMatchObject({
    peer: undefined,
    length: 20,
  });
});

test('what is no header is known as such, most of it at its first byte', () => {
  for (const bytes of [
    text('N'),
    text('PROXX'),
    text('PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n'),
    text('PROXY TCP4 1.2.3.256 5.6.7.8 1 2\r\n'),
    text('PROXY TCP4 ::1 ::1 1 2\r\n'),
    text('PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n'),
    text('PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n'),
    text('PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n'),
    text(`PROXY UNKNOWN ${'x'.repeat(100)}`),
    hex('0d0a0d0a01'),
    hex(`${SIGNATURE} 11 11 000c`),
    hex(`${SIGNATURE} 22 11 000c`),
    hex(`${SIGNATURE} 21 11 ffff`),
    hex(`${SIGNATURE} 21 11 0004 01020304`),
  ]) {
    expect(readProxyHeader(bytes), bytes.toString('latin1')).toMatchObject({ kind: 'none' });
  }
});

test('wherever it is cut, it asks for more until it is whole', () => {
  for (const whole of [V4, BINARY_V4, BINARY_V6, text('PROXY UNKNOWN\r\n')]) {
    for (let cut = 0; cut < whole.length; cut++) {
      expect(readProxyHeader(whole.subarray(0, cut)), `${cut} bytes`).toEqual({ kind: 'more' });
    }
  }
});

test('whatever comes, it throws nothing and asks for no more than its bound (10,000 inputs, seed 14)', () => {
  const start = fc.constantFrom(
    Buffer.alloc(0),
    V4,
    V4.subarray(0, 14),
    BINARY_V4,
    BINARY_V4.subarray(0, 13),
  );
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 3000 }), (beginning, rest) => {
      const bytes = Buffer.concat([beginning, rest]);
      const header = readProxyHeader(bytes);
      if (header.kind === 'more') expect(bytes.length).toBeLessThan(LONGEST_HEADER);
      if (header.kind === 'header') expect(header.length).toBeLessThanOrEqual(bytes.length);
    }),
    { numRuns: 10_000, seed: 14 },
  );
});
