import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { setup } from 'xstate';
import { Connection } from '../../src/transport/connection.ts';
import {
  bytes,
  Content,
  is,
  record,
  streamed,
  text,
  u8,
  varint,
  within,
  word,
} from '../../src/transport/fields/index.ts';
import { frame } from '../../src/transport/frame.ts';
import type { Handlers } from '../../src/transport/handlers.ts';
import { defineProtocol } from '../../src/transport/protocol.ts';
import { type MakeHandlers, Session } from '../../src/transport/session.ts';
import { listen } from '../../src/transport/socket/listen.ts';
import { MemoryWire } from '../support/memory-wire.ts';

const NEXT = { type: 'server.OK', said: 'next' } as const;
const ok = (said: string) => ({ type: 'server.OK', said }) as const;

/** Content behind a length, and lines up to a dot, which are read in a state of their own. */
const store = defineProtocol({
  name: 'store',
  port: 0,
  machine: setup({
    types: {
      events: {} as {
        type:
          | 'transport.accept'
          | 'transport.end'
          | 'client.PUT'
          | 'client.PUBLISH'
          | 'client.DATA'
          | 'client.BODY'
          | 'client.PING'
          | 'server.OK';
      },
    },
  }).createMachine({
    id: 'store',
    initial: 'before',
    on: { 'transport.end': '.over' },
    states: {
      before: { on: { 'transport.accept': 'open' } },
      open: {
        on: {
          'client.PUT': 'judging',
          'client.PUBLISH': 'judging',
          'client.DATA': 'going',
          'client.PING': 'judging',
        },
      },
      judging: { tags: 'server', on: { 'server.OK': 'open' } },
      going: { tags: 'server', on: { 'server.OK': 'data' } },
      data: { on: { 'client.BODY': 'judging' } },
      over: { type: 'final' },
    },
  }),
  frames: {
    'client.PUT': frame(is(u8(), 1), { name: text('u8'), body: streamed('u32be', { max: 100_000_000 }) }),
    // As MQTT has it: one length around a topic and what is published.
    'client.PUBLISH': frame(
      is(u8(), 0x30),
      within(varint(), { topic: text('u16be', { max: 20 }) }, { payload: streamed('rest') }),
    ),
    'client.DATA': frame(is(u8(), 2)),
    'client.BODY': frame({ lines: streamed('dot-stuffed') }),
    'client.PING': frame(is(u8(), 3)),
    'server.OK': frame(is(u8(), 0x55), { said: text('u8') }),
  },
  reads: { data: ['client.BODY'], open: ['client.PUT', 'client.PUBLISH', 'client.DATA', 'client.PING'] },
  violation: { closes: true },
  malformed: { closes: true },
  unreadable: {},
  unchecked: ['that a name is put once'],
  samples: () => ({ messages: {}, malformed: {} }),
});
type StoreFrames = typeof store.frames;

async function whole(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of content) pieces.push(piece);
  return Buffer.concat(pieces);
}

const reading: Handlers<StoreFrames> = {
  PUT: async ({ name, body }) => ok(`${name} ${(await whole(body)).length}`),
  PUBLISH: async ({ topic, payload }) => ok(`${topic} ${(await whole(payload)).length}`),
  DATA: () => NEXT,
  BODY: async ({ lines }) => ok((await whole(lines)).toString('latin1').replaceAll('\r\n', '|')),
  PING: () => ok('pong'),
};

function serve(open: MakeHandlers<StoreFrames>) {
  const told: string[] = [];
  const wire = new MemoryWire();
  const session = new Session(new Connection(store, 'server'), wire, {
    id: 1,
    peer: 'test',
    observer: {
      failed: (_, error) => told.push(`failed: ${error}`),
      refused: (_, error) => told.push(error.message),
      ended: (_, cause) => told.push(cause),
    },
  });
  session.open(open);
  return {
    session,
    wire,
    told,
    said: () =>
      Buffer.concat(wire.written)
        .toString('latin1')
        .split('U')
        .slice(1)
        .map((word) => word.slice(1)),
  };
}

const put = (content: string) =>
  store.encode({ type: 'client.PUT', name: 'n', body: Content.of(Buffer.from(content)) }).bytes;
const PING = Buffer.of(3);

test('a content is handed over as it comes, and the answer waits for the end of it', async () => {
  const { session, wire, said } = serve(() => reading);
  const sent = put('hello world');
  session.receive(sent.subarray(0, 10));
  session.receive(Buffer.concat([sent.subarray(10), PING, put('')]));
  await wire.until(() => said().length === 3);
  expect(said()).toEqual(['n 11', 'pong', 'n 0']);
});

test('what a handler does not read is dropped before its answer is sent', async () => {
  const { session, said, wire } = serve(() => ({
    ...reading,
    PUT: async ({ body }) => {
      for await (const piece of body) return ok(`only ${piece.length}`);
      return ok('none');
    },
    PING: () => ok('pong'),
  }));
  const sent = put('0123456789');
  session.receive(sent.subarray(0, 10));
  await new Promise(setImmediate);
  session.receive(sent.subarray(10, 12));
  await new Promise(setImmediate);
  expect(said()).toEqual([]);
  session.receive(Buffer.concat([sent.subarray(12), PING]));
  await wire.until(() => said().length === 2);
  expect(said()).toEqual(['only 3', 'pong']);
  const never = serve(() => ({ ...reading, PUT: () => ok('unread') }));
  never.session.receive(Buffer.concat([put('x'.repeat(5_000)), PING]));
  expect(never.said()).toEqual(['unread', 'pong']);
});

test('a peer that goes in the middle ends the reading, and is no failure of ours', async () => {
  const { session, told, wire } = serve(() => reading);
  session.receive(put('hello').subarray(0, 9));
  await new Promise(setImmediate);
  session.receiveEnd();
  await wire.until(() => wire.closed);
  await new Promise(setImmediate);
  expect(told).toEqual(['end']);
  let reason: unknown;
  const other = serve(() => ({
    ...reading,
    PUT: async ({ body }) => {
      await whole(body).catch((error: unknown) => {
        reason = error;
      });
      return ok('late');
    },
  }));
  other.session.receive(put('hello').subarray(0, 9));
  other.session.receiveReset();
  await vi.waitFor(() => expect(reason).toMatchObject({ code: 'cut-off' }));
  expect([other.told, other.wire.hex]).toEqual([['reset'], '']);
});

// Seed 12, 300 runs.
test('dot-stuffed lines are the same however they are cut', async () => {
  const line = fc.constantFrom('', '.', '..', 'a', '.b', 'x'.repeat(300), 'ab', '..b');
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 8 }), fc.array(fc.nat(400)), async (lines, cuts) => {
      const body = lines.map((text) => `${text}\r\n`).join('');
      const { session, wire, said } = serve(() => ({
        ...reading,
        BODY: async ({ lines }) =>
          ok(
            createHash('md5')
              .update(await whole(lines))
              .digest('hex'),
          ),
      }));
      session.receive(Buffer.of(2));
      const sent = Buffer.concat([
        store.encode({ type: 'client.BODY', lines: Content.of(Buffer.from(body)) }).bytes,
        PING,
      ]);
      const ends = [...new Set([0, ...cuts.filter((cut) => cut < sent.length), sent.length])].sort(
        (a, b) => a - b,
      );
      for (const [index, end] of ends.slice(1).entries()) {
        session.receive(sent.subarray(ends[index], end));
        if (index % 2 === 0) await new Promise(setImmediate);
      }
      await wire.until(() => said().length === 3);
      expect(said()).toEqual(['next', createHash('md5').update(body).digest('hex'), 'pong']);
    }),
    { seed: 12, numRuns: 300 },
  );
});

// Seed 14, 300 runs.
test('a CR or LF alone in a body is refused however it is cut, and nothing from its line on is handed over', async () => {
  const wrong = fc.constantFrom('\n', '\r', '\n.\n', '\n.', '.\n', '\r.\r', '\r\r', 'a\r', '.\r', 'a\n\nb');
  await fc.assert(
    fc.asyncProperty(wrong, fc.boolean(), fc.array(fc.nat(20)), async (wrong, isFirst, cuts) => {
      let read = '';
      const { session, wire, told } = serve(() => ({
        ...reading,
        BODY: async ({ lines }) => {
          for await (const piece of lines) read += Buffer.from(piece).toString('latin1');
          return ok('read');
        },
      }));
      session.receive(Buffer.of(2));
      const before = isFirst ? '' : 'one\r\n';
      const body = Buffer.from(`${before}${wrong}\r\nthree\r\n.\r\n`);
      const ends = [...new Set([...cuts.filter((cut) => cut < body.length), body.length])].sort(
        (a, b) => a - b,
      );
      for (const [index, end] of ends.entries()) session.receive(body.subarray(ends[index - 1] ?? 0, end));
      await wire.until(() => wire.closed);
      expect(told[0]).toContain('expected CR and LF together');
      expect(read).toBe(before);
    }),
    { seed: 14, numRuns: 300 },
  );
});

test('a line of a body without end is refused, not held', async () => {
  const { session, told, wire } = serve(() => reading);
  session.receive(Buffer.of(2));
  for (let count = 0; count < 70; count++) session.receive(Buffer.alloc(1_000, 65));
  await wire.until(() => wire.closed);
  expect(told[0]).toContain('unreadable in state judging: received client.BODY, expected a line');
});

/** A varint in front of 64,000,003 bytes: a topic `A`, and 64 MB. */
const published = Buffer.from([0x30, 0x83, 0xa0, 0xc2, 0x1e, 0, 1, 65]);
const stored = Buffer.from([1, 1, 65, 0x03, 0xd0, 0x90, 0x00]);

test.each([
  ['behind its length', stored],
  ['inside a length around a topic, too', published],
])('64 MB come no faster than they are read, over a socket: %s', async (_, head) => {
  let most = 0;
  const server = await listen(
    store,
    (session) => {
      const digest = async (content: AsyncIterable<Uint8Array>) => {
        const hash = createHash('md5');
        let size = 0;
        for await (const piece of content) {
          if (size % 1_000_000 < piece.length) await new Promise(setImmediate);
          hash.update(piece);
          size += piece.length;
          most = Math.max(most, session.connection.buffered);
        }
        return ok(hash.digest('hex'));
      };
      return { ...reading, PUT: ({ body }) => digest(body), PUBLISH: ({ payload }) => digest(payload) };
    },
    { host: '127.0.0.1', port: 0, lingerTimeout: 300 },
  );
  onTestFinished(() => server.close());
  const socket = createConnection({ port: server.port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  const block = Buffer.alloc(1_000_000, 'abcdefg');
  const hash = createHash('md5');
  socket.write(head);
  for (let count = 0; count < 64; count++) {
    hash.update(block);
    if (!socket.write(block)) await once(socket, 'drain');
  }
  const [answer]: Buffer[] = await once(socket, 'data');
  expect(answer?.subarray(2).toString()).toBe(hash.digest('hex'));
  expect(most).toBeLessThan(1_000_000);
});

// Seed 13, 300 runs.
test('content inside a length is the same however it is cut, and what is wrong before it is refused so', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: fc.constantFrom('a', 'b', '\u00e9'), maxLength: 24 }),
      fc.uint8Array({ maxLength: 300 }),
      fc.array(fc.nat(340)),
      async (topic, payload, cuts) => {
        const name = Buffer.from(topic);
        const size = 2 + name.length + payload.length;
        const covering = size < 128 ? [size] : [(size & 127) | 128, size >> 7];
        const sent = Buffer.concat([Buffer.of(0x30, ...covering, 0, name.length), name, payload, PING]);
        const { session, wire, said, told } = serve(() => reading);
        const ends = [...new Set([0, ...cuts.filter((cut) => cut < sent.length), sent.length])].sort(
          (a, b) => a - b,
        );
        for (const [index, end] of ends.slice(1).entries()) {
          session.receive(sent.subarray(ends[index], end));
          if (index % 2 === 0) await new Promise(setImmediate);
        }
        if (name.length > 20) {
          await wire.until(() => wire.closed);
          expect(told[0]).toContain('received client.PUBLISH, expected u16be length, then 0..20 bytes');
        } else {
          await wire.until(() => said().length === 2);
          expect(said()).toEqual([`${name.toString('latin1')} ${payload.length}`, 'pong']);
        }
      },
    ),
    { seed: 13, numRuns: 300 },
  );
});

test('streamed content is the last of its frame', () => {
  expect(() => frame(is(u8(), 1), { body: streamed('u8'), more: u8() })).toThrow('body: what is handed over');
  expect(() => frame(within('u8', { body: streamed('rest') }, { more: u8() }))).toThrow(
    'body: what is handed',
  );
  expect(() => frame(within('u8', { body: streamed('rest') }), { more: u8() })).toThrow(
    'body: what is handed',
  );
  expect(() => frame(within('u8', { all: record({ body: streamed('rest') }) }))).toThrow('handed over');
  expect(() => frame({ body: streamed('rest') })).toThrow('nothing covers it');
  expect(() => frame(word('X'), { body: bytes('u8') })).not.toThrow();
});
