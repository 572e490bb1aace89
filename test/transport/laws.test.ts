import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { setup } from 'xstate';
import { messageLogHandlers } from '../../src/protocols/message-log/handlers.ts';
import { openFileLog } from '../../src/protocols/message-log/log/file-log.ts';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import type { RemoteError } from '../../src/transport/errors.ts';
import { bytes, type Field, is, text, u8 } from '../../src/transport/fields/index.ts';
import { frame } from '../../src/transport/frame.ts';
import type { Handlers } from '../../src/transport/handlers.ts';
import { defineProtocol, type Frames, type Protocol } from '../../src/transport/protocol.ts';
import type { Session } from '../../src/transport/session.ts';
import { connect } from '../../src/transport/socket/connect.ts';
import { type ListenOptions, listen } from '../../src/transport/socket/listen.ts';

/** Nothing that a peer sends, and nothing that a declaration computes, ends the process: a test for each way it once did. */

/** A server, and what its observer was told. */
async function serve<F extends Frames>(
  protocol: Protocol<F>,
  open: (session: Session<F>) => Handlers<F>,
  options: ListenOptions = {},
) {
  const told: string[] = [];
  const server = await listen(protocol, open, {
    host: '127.0.0.1',
    port: 0,
    lingerTimeout: 300,
    observer: {
      refused: (_, error) => told.push(error.message),
      failed: (_, error) => told.push(`failed: ${error instanceof Error ? error.message : error}`),
      ended: (_, cause) => told.push(`ended: ${cause}`),
    },
    ...options,
  });
  onTestFinished(() => server.close());
  return { port: server.port, told, sessions: server.sessions };
}

/** A raw client. */
async function dial(port: number) {
  const socket = createConnection({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  onTestFinished(() => void socket.destroy());
  let heard = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    heard = Buffer.concat([heard, chunk]);
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return {
    socket,
    hex: () => heard.toString('hex'),
    size: () => heard.length,
    hears: (hex: string) => vi.waitFor(() => expect(heard.toString('hex')).toBe(hex), { timeout: 5_000 }),
    end: () => ended(socket),
  };
}

function ended(socket: Socket): Promise<unknown> | undefined {
  if (socket.readableEnded || socket.closed) return undefined;
  return Promise.race([once(socket, 'end'), once(socket, 'close')]);
}

/** Asks and answers, and says why not; `more` joins it. */
function asking(
  payload = bytes('u8'),
  more: Partial<{
    readonly timeout: () => { readonly type: 'server.NO'; readonly reason: string };
    readonly failure: () => { readonly type: 'server.NO'; readonly reason: string };
    readonly refusal: (error: RemoteError) => { readonly type: 'server.NO'; readonly reason: string };
  }> = {},
) {
  const refusal = more.refusal ?? (() => ({ type: 'server.NO', reason: 'no' }) as const);
  return defineProtocol({
    name: 'asking',
    port: 0,
    machine: setup({
      types: {
        events: {} as {
          type:
            | 'transport.accept'
            | 'transport.end'
            | 'transport.timeout'
            | 'client.ASK'
            | 'client.EARLY'
            | 'server.YES'
            | 'server.NO'
            | 'server.BYE';
        },
      },
    }).createMachine({
      id: 'asking',
      initial: 'before',
      on: { 'transport.end': '.over', 'transport.timeout': '.over' },
      states: {
        before: { on: { 'transport.accept': 'open' } },
        open: { on: { 'client.ASK': 'judging', 'server.BYE': 'over' } },
        judging: { tags: 'server', on: { 'server.YES': 'open', 'server.NO': 'late' } },
        late: { on: { 'client.EARLY': 'judging' } },
        over: { type: 'final' },
      },
    }),
    frames: {
      'client.ASK': frame(is(u8(), 1), { payload }),
      'client.EARLY': frame(is(u8(), 2)),
      'server.YES': frame(is(u8(), 0x11)),
      'server.NO': frame(is(u8(), 0x22), { reason: text('u8', { max: 20 }) }),
      'server.BYE': frame(is(u8(), 0x33)),
    },
    violation: { reply: refusal, closes: true },
    malformed: { reply: refusal, closes: true },
    unreadable: { reply: refusal },
    ...(more.timeout && { timeout: more.timeout }),
    ...(more.failure && { failure: more.failure }),
    samples: () => ({ messages: {}, malformed: {} }),
  });
}

const YES = { type: 'server.YES' } as const;
const unencodable = () => ({ type: 'server.NO', reason: 'far too long for its field' }) as const;
const ASK = Buffer.of(1, 1, 65);

/** An honest client beside the others: it was there before, and is served behind. */
async function witness(port: number) {
  const other = await dial(port);
  other.socket.write(ASK);
  await other.hears('11');
  return async () => {
    other.socket.write(ASK);
    await other.hears('1111');
  };
}

test.each([
  ['a violation', Buffer.of(2), {}],
  ['malformed content', Buffer.of(1, 0xff), {}],
  ['what is unreadable', Buffer.of(0x99), {}],
])('a refusal of %s that cannot be encoded fails that session, and no other', async (_, sent) => {
  const protocol = asking(bytes('u8', { max: 9 }), { refusal: unencodable });
  const { port, told } = await serve(protocol, () => ({ ASK: () => YES, EARLY: () => YES }));
  const served = await witness(port);
  const peer = await dial(port);
  peer.socket.write(sent);
  await peer.end();
  await served();
  await vi.waitFor(() => expect(told.at(-1)).toBe('ended: failed'));
  expect(told.at(-2)).toContain('failed: ');
});

test('a refusal that names twenty messages, as the guide has it, fails that session alone', async () => {
  const refusal = ({ received, expected }: RemoteError) =>
    ({ type: 'server.NO', reason: `${received}? expected ${expected.join(' or ')}` }) as const;
  const { port, told } = await serve(asking(undefined, { refusal }), () => ({
    ASK: () => YES,
    EARLY: () => YES,
  }));
  const served = await witness(port);
  const peer = await dial(port);
  peer.socket.write(Buffer.of(2));
  await peer.end();
  await served();
  expect(told.at(-1)).toBe('ended: failed');
});

test('a last word of a timer that cannot be encoded fails that session alone', async () => {
  const protocol = asking(undefined, { timeout: unencodable });
  const { port, told } = await serve(protocol, () => ({ ASK: () => YES, EARLY: () => YES }), {
    idleTimeout: 100,
  });
  const peer = await dial(port);
  await peer.end();
  await vi.waitFor(() => expect(told.at(-1)).toBe('ended: failed'));
  await (await witness(port))();
});

test('words for a failure that cannot be encoded are told, and end that session alone', async () => {
  const protocol = asking(undefined, { failure: unencodable });
  const { port, told } = await serve(protocol, () => ({
    ASK({ payload }) {
      if (payload[0] !== 65) throw new Error('no memory');
      return YES;
    },
    EARLY: () => YES,
  }));
  const served = await witness(port);
  const peer = await dial(port);
  peer.socket.write(Buffer.of(1, 1, 66));
  await peer.end();
  await served();
  expect(told).toHaveLength(3);
  expect([told[0], told[2]]).toEqual(['failed: no memory', 'ended: failed']);
});

test('a frame above 4 MiB is taken: what is held comes from the declaration', async () => {
  let taken = 0;
  const { port } = await serve(asking(bytes('u32be', { max: 5_000_000 })), () => ({
    ASK({ payload }) {
      taken = payload.length;
      return YES;
    },
    EARLY: () => YES,
  }));
  const peer = await dial(port);
  const size = Buffer.alloc(5);
  size.writeUInt32BE(5_000_000, 1);
  size[0] = 1;
  peer.socket.write(Buffer.concat([size, Buffer.alloc(5_000_000)]));
  await peer.hears('11');
  expect(taken).toBe(5_000_000);
});

/** The server speaks first, when it likes. */
const greeting = defineProtocol({
  name: 'greeting',
  port: 0,
  machine: setup({
    types: {
      events: {} as {
        type: 'transport.accept' | 'transport.end' | 'client.ASK' | 'server.HELLO' | 'server.YES';
      },
    },
  }).createMachine({
    id: 'greeting',
    initial: 'before',
    on: { 'transport.end': '.over' },
    states: {
      before: { on: { 'transport.accept': 'greeting' } },
      greeting: { tags: 'server', on: { 'server.HELLO': 'open' } },
      open: { on: { 'client.ASK': 'judging' } },
      judging: { tags: 'server', on: { 'server.YES': 'open' } },
      over: { type: 'final' },
    },
  }),
  frames: {
    'client.ASK': frame(is(u8(), 1), { payload: bytes('u16be') }),
    'server.HELLO': frame(is(u8(), 0x44)),
    'server.YES': frame(is(u8(), 0x11)),
  },
  violation: { closes: true },
  malformed: { closes: true },
  unreadable: {},
  samples: () => ({ messages: {}, malformed: {} }),
});

test('what a client sends before the server has spoken stays on the wire until it can be judged', async () => {
  let speak = () => {};
  let held = () => 0;
  const { port } = await serve(greeting, (session) => {
    speak = () => session.send({ type: 'server.HELLO' });
    held = () => session.connection.buffered;
    return { ASK: () => YES };
  });
  const peer = await dial(port);
  const ask = Buffer.concat([Buffer.of(1, 0xff, 0xff), Buffer.alloc(65_535)]);
  const asks = 256;
  peer.socket.write(Buffer.concat(new Array<Buffer>(asks).fill(ask)));
  await vi.waitFor(() => expect(held()).toBeGreaterThan(100_000));
  // As much as the system holds is on its way; the rest waits at the client.
  await vi.waitFor(
    async () => {
      const before = held();
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(held()).toBe(before);
    },
    { timeout: 5_000 },
  );
  expect(held()).toBeLessThan(1_000_000);
  speak();
  await peer.hears(`44${'11'.repeat(asks)}`);
});

test.each(['read', 'size', 'write'] as const)(
  'a field of one’s own whose %s throws fails that session alone',
  async (act) => {
    const odd: Field<number> = {
      ...u8(),
      [act](..._: unknown[]): never {
        throw new Error(`cannot ${act}`);
      },
    };
    const [asked, answered] = act === 'read' ? [odd, u8()] : [u8(), odd];
    const protocol = defineProtocol({
      name: 'odd',
      port: 0,
      machine: greeting.machine,
      frames: {
        'client.ASK': frame(is(u8(), 1), { odd: asked }),
        'server.HELLO': frame(is(u8(), 0x44)),
        'server.YES': frame(is(u8(), 0x11), { odd: answered }),
      },
      violation: { closes: true },
      malformed: { closes: true },
      unreadable: {},
      samples: () => ({ messages: {}, malformed: {} }),
    });
    const { port, told } = await serve(protocol, (session) => {
      session.push({ type: 'server.HELLO' });
      return { ASK: () => ({ type: 'server.YES', odd: 1 }) };
    });
    const other = await dial(port);
    await other.hears('44');
    const peer = await dial(port);
    await peer.hears('44');
    peer.socket.write(Buffer.of(1, 1));
    await peer.end();
    await vi.waitFor(() => expect(told).toEqual([`failed: cannot ${act}`, 'ended: failed']));
    expect(other.socket.closed).toBe(false);
  },
);

test('a field named type is refused at definition, and by the compiler', () => {
  // @ts-expect-error
  expect(() => frame(is(u8(), 1), { type: u8() })).toThrow(/type/);
});

test.each(['push', 'offer', 'send'] as const)('a %s that leads to the end ends the session', async (act) => {
  let say = () => {};
  const { port, told } = await serve(asking(), (session) => {
    say = () => void session[act]({ type: 'server.BYE' });
    return { ASK: () => YES, EARLY: () => YES };
  });
  const peer = await dial(port);
  peer.socket.write(ASK);
  await peer.hears('11');
  say();
  await peer.end();
  expect(peer.hex()).toBe('1133');
  expect(told).toEqual(['ended: close']);
});

test('a run that is answered twice fails its session: the next message is not acknowledged', async () => {
  let later: (accepted: number) => void = () => {};
  let taken = 0;
  const { port, told } = await serve(asking(), () => ({
    ASK: {
      handle(contents, answer) {
        taken += contents.length;
        if (taken === 1) {
          later = answer;
          answer(1);
        } else later(1);
      },
      accept: YES,
      refuse: { type: 'server.NO', reason: '' },
    },
    EARLY: () => YES,
  }));
  const peer = await dial(port);
  peer.socket.write(ASK);
  await peer.hears('11');
  peer.socket.write(ASK);
  await peer.end();
  expect(peer.hex()).toBe('11');
  expect(told).toEqual([expect.stringContaining('answered twice'), 'ended: failed']);
});

test('the time of a handshake runs from entering it, the second time too', async () => {
  const protocol = defineProtocol({
    name: 'again',
    port: 0,
    machine: setup({
      types: {
        events: {} as {
          type: 'transport.accept' | 'transport.end' | 'transport.timeout' | 'client.IN' | 'client.OUT';
        },
      },
    }).createMachine({
      id: 'again',
      initial: 'before',
      on: { 'transport.end': '.over', 'transport.timeout': '.over' },
      states: {
        before: { on: { 'transport.accept': 'outside' } },
        outside: { tags: 'handshake', on: { 'client.IN': 'inside' } },
        inside: { on: { 'client.OUT': 'outside' } },
        over: { type: 'final' },
      },
    }),
    frames: { 'client.IN': frame(is(u8(), 1)), 'client.OUT': frame(is(u8(), 2)) },
    violation: { closes: true },
    malformed: { closes: true },
    unreadable: {},
    samples: () => ({ messages: {}, malformed: {} }),
  });
  const { port, told, sessions } = await serve(
    protocol,
    () => ({ IN: () => undefined, OUT: () => undefined }),
    { handshakeTimeout: 400 },
  );
  const peer = await dial(port);
  peer.socket.write(Buffer.of(1));
  await new Promise((resolve) => setTimeout(resolve, 500));
  peer.socket.write(Buffer.of(2));
  await vi.waitFor(() => expect([...sessions][0]?.stateName).toBe('outside'));
  const entered = performance.now();
  await peer.end();
  expect(performance.now() - entered).toBeGreaterThan(300);
  expect(told).toEqual(['ended: timeout']);
});

test('a throw behind an append fails that session, and the log answers all others', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'laws-'));
  const log = await openFileLog(join(folder, 'messages.log'));
  onTestFinished(async () => {
    await log.close();
    rmSync(folder, { recursive: true });
  });
  const told: string[] = [];
  const { port } = await serve(messageLog, messageLogHandlers({ log }), {
    observer: {
      refused() {
        throw new Error('no pen');
      },
      failed: (_, error) => told.push(String(error)),
      ended: (_, cause) => told.push(cause),
    },
  });
  const login = Buffer.from('010300616e6e02010041', 'hex');
  const message = Buffer.from('03010041', 'hex');
  const other = await dial(port);
  other.socket.write(login);
  await other.hears('0000');
  const peer = await dial(port);
  // The violation behind the message is judged when the log has called back.
  peer.socket.write(Buffer.concat([login, message, login]));
  await peer.end();
  other.socket.write(message);
  await other.hears('000000');
  expect(told).toEqual(['Error: no pen', 'refused']);
});

test('connect() whose handlers cannot be made leaves no socket behind', async () => {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const accepted = once(server, 'connection');
  const open = () => {
    throw new Error('no room');
  };
  await expect(connect(messageLog, open, { port })).rejects.toThrow('no room');
  const [socket]: Socket[] = await accepted;
  await ended(socket?.resume() ?? expect.fail());
});

test('however three equal messages are cut, the same handler takes them', async () => {
  const segmentations = [[9], [3, 3, 3], [1, 1, 1, 1, 1, 1, 1, 1, 1], [4, 5], [8, 1]];
  for (const sizes of segmentations) {
    let taken = '';
    const { port } = await serve(asking(), () => ({
      ASK: {
        handle(contents, answer) {
          for (const content of contents) taken += Buffer.from(content).toString();
          answer(contents.length);
        },
        accept: YES,
        refuse: { type: 'server.NO', reason: '' },
      },
      EARLY: () => YES,
    }));
    const peer = await dial(port);
    const whole = Buffer.concat([ASK, ASK, ASK]);
    let at = 0;
    for (const size of sizes) {
      peer.socket.write(whole.subarray(at, at + size));
      at += size;
      await new Promise(setImmediate);
    }
    await peer.hears('111111');
    expect(taken).toBe('AAA');
  }
});

test('bytes that almost are a frame are refused with the byte that is wrong', async () => {
  const protocol = defineProtocol({
    name: 'pinging',
    port: 0,
    machine: setup({
      types: { events: {} as { type: 'transport.accept' | 'transport.end' | 'client.PINGREQ' } },
    }).createMachine({
      id: 'pinging',
      initial: 'before',
      on: { 'transport.end': '.over' },
      states: {
        before: { on: { 'transport.accept': 'open' } },
        open: { on: { 'client.PINGREQ': 'open' } },
        over: { type: 'final' },
      },
    }),
    frames: { 'client.PINGREQ': frame(is(u8(), 0xc0), is(u8(), 0)) },
    violation: { closes: true },
    malformed: { closes: true },
    unreadable: {},
    samples: () => ({ messages: {}, malformed: {} }),
  });
  const { port, told } = await serve(protocol, () => ({ PINGREQ: () => undefined }));
  const peer = await dial(port);
  peer.socket.write(Buffer.of(0xc0, 0x01));
  await peer.end();
  expect(told[0]).toBe(
    'unreadable in state open: received client.PINGREQ, expected 0x00, got 0x01 as byte 2',
  );
});
