import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { smtp } from '../../examples/smtp/protocol.ts';
import { type Guard, type GuardOptions, guard } from '../../src/guard/guard.ts';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { tcpServer } from '../support/tcp-server.ts';
import { textClient } from '../support/text-client.ts';

/**
 * An old server with the classic hole: it appends a MESSAGE whenever one comes, logged in or not, and answers every frame
 * with 0x00. It keeps all bytes that it was sent.
 */
class OldServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  received = Buffer.alloc(0);
  appended: string[] = [];
  /** What it answers a frame with. */
  answer: (code: number) => Buffer = () => Buffer.of(0);

  constructor() {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      let held = Buffer.alloc(0);
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        this.received = Buffer.concat([this.received, bytes]);
        held = Buffer.concat([held, bytes]);
        while (held.length > 0) {
          const code = held[0] ?? 0;
          if (code === 4) {
            socket.end(this.answer(code));
            return;
          }
          if (held.length < 3 || held.length < 3 + held.readUInt16LE(1)) return;
          const end = 3 + held.readUInt16LE(1);
          if (code === 3) this.appended.push(held.toString('latin1', 3, end));
          held = held.subarray(end);
          socket.write(this.answer(code));
        }
      });
      socket.on('end', () => socket.end());
    });
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const at = this.#server.address();
    return typeof at === 'object' && at !== null ? at.port : 0;
  }

  forget(): void {
    this.received = Buffer.alloc(0);
    this.appended = [];
    this.answer = () => Buffer.of(0);
  }

  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}

const frame = (code: number, payload: string) =>
  Buffer.concat([
    Buffer.of(code, payload.length & 0xff, payload.length >> 8),
    Buffer.from(payload, 'latin1'),
  ]);
const NAME = frame(1, 'ann');
const PASSWORD = frame(2, 'A');
const MESSAGE = frame(3, 'hello');
const CLOSE = Buffer.of(4);

/** Sends these pieces, each in a segment of its own, ends, and answers all that came back. */
async function talk(port: number, ...pieces: readonly Uint8Array[]): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  const heard: Buffer[] = [];
  socket.on('data', (bytes) => heard.push(bytes));
  socket.on('error', () => {});
  await once(socket, 'connect');
  for (const piece of pieces) {
    socket.write(piece);
    await setImmediate();
  }
  socket.end();
  if (!socket.destroyed) await once(socket, 'close');
  return Buffer.concat(heard).toString('hex');
}

const old = new OldServer();
let upstream = 0;
beforeAll(async () => {
  upstream = await old.listen();
});
afterAll(() => old.close());

interface Told {
  readonly refused: string[];
  readonly ended: string[];
  readonly faulted: string[];
}

async function guarding(options: Partial<GuardOptions> = {}): Promise<Guard & { readonly told: Told }> {
  old.forget();
  const told: Told = { refused: [], ended: [], faulted: [] };
  const running = await guard(messageLog, {
    host: '127.0.0.1',
    port: 0,
    upstream: { host: '127.0.0.1', port: upstream },
    observer: {
      refused: (_, { code, received, state }) => void told.refused.push(`${code} ${received} ${state}`),
      ended: (_, cause) => void told.ended.push(cause),
    },
    upstreamObserver: {
      faulted: (_, { code, received }) => void told.faulted.push(`${code} ${received}`),
    },
    ...options,
  });
  onTestFinished(() => running.close());
  return Object.assign(running, { told });
}

describe('a guard in front of a server that takes a MESSAGE before the PASSWORD', () => {
  test('without it, the attack works', async () => {
    old.forget();
    expect(await talk(upstream, NAME, MESSAGE)).toBe('0000');
    expect(old.appended).toEqual(['hello']);
  });

  test.each([
    ['piece by piece', [NAME, MESSAGE]],
    ['in one segment', [Buffer.concat([NAME, MESSAGE])]],
    ['behind a login of its own', [Buffer.concat([NAME, MESSAGE, PASSWORD, MESSAGE])]],
  ])('with it, no byte of the message arrives: %s', async (_, pieces) => {
    const { port, told } = await guarding();
    expect(await talk(port, ...pieces)).toBe('00ff');
    expect(old.received.equals(NAME)).toBe(true);
    expect(old.appended).toEqual([]);
    expect(told.refused).toEqual(['violation client.MESSAGE P.awaiting']);
  });

  test('a client that keeps the order notices nothing, also when it does not wait', async () => {
    const { port, told } = await guarding();
    const many = Array.from({ length: 300 }, () => MESSAGE);
    const all = Buffer.concat([NAME, PASSWORD, ...many, CLOSE]);
    expect(await talk(port, all)).toBe('00'.repeat(303));
    expect(old.received.equals(all)).toBe(true);
    expect(old.appended).toHaveLength(300);
    expect(told.refused).toEqual([]);
    const bytewise = [...all].map((byte) => Buffer.of(byte));
    expect(await talk(port, ...bytewise.slice(0, 400))).toBe('00'.repeat(Math.floor((400 - 10) / 8) + 2));
  });

  test('a refused password keeps out what was sent behind it', async () => {
    const { port, told } = await guarding();
    old.answer = (code) => Buffer.of(code === 2 ? 0xff : 0);
    expect(await talk(port, Buffer.concat([NAME, PASSWORD, MESSAGE]))).toBe('00ff');
    expect(old.appended).toEqual([]);
    expect(old.received.equals(Buffer.concat([NAME, PASSWORD]))).toBe(true);
    expect(told.refused).toEqual([]);
  });

  test('what is malformed does not arrive either; neither does half a frame', async () => {
    const { port, told } = await guarding();
    expect(await talk(port, Buffer.of(1, 0, 0))).toBe('ff');
    expect(await talk(port, Buffer.of(9))).toBe('ff');
    expect(await talk(port, NAME.subarray(0, 2))).toBe('');
    expect(old.received).toHaveLength(0);
    expect(told.refused).toEqual([
      'malformed client.NAME N.awaiting',
      'unreadable bytes that begin no frame N.awaiting',
    ]);
  });

  test('a server that breaks the protocol ends its dialogue, and is told of', async () => {
    const { port, told } = await guarding();
    old.answer = () => Buffer.of(7);
    expect(await talk(port, NAME, PASSWORD)).toBe('07');
    expect(told.faulted).toEqual(['unreadable bytes that begin no frame']);
    expect(old.received.equals(NAME)).toBe(true);
  });

  test('or goes on unwatched, where that is asked for', async () => {
    const { port, told } = await guarding({ onServerFault: 'pass' });
    old.answer = () => Buffer.of(7);
    expect(await talk(port, NAME, PASSWORD)).toBe('0707');
    expect(told.faulted).toHaveLength(1);
  });

  test('an observer that throws breaks off its own dialogue, and the guard goes on', async () => {
    const failed: string[] = [];
    const { port } = await guarding({
      observer: {
        refused() {
          throw new Error('no paper left');
        },
        failed: (_, error) => void failed.push(String(error)),
      },
    });
    await talk(port, NAME, MESSAGE);
    expect(failed).toEqual(['Error: no paper left']);
    expect(old.appended).toEqual([]);
    expect(await talk(port, NAME, PASSWORD, CLOSE)).toBe('000000');
  });

  test('report-only passes the attack, and tells of it', async () => {
    const { port, told } = await guarding({ reportOnly: true });
    expect(await talk(port, NAME, MESSAGE)).toBe('0000');
    expect(old.appended).toEqual(['hello']);
    expect(told.refused).toEqual(['violation client.MESSAGE P.awaiting']);
  });

  test('large messages are passed on while they come', async () => {
    const { port } = await guarding();
    const large = frame(3, 'x'.repeat(65_535));
    const all = Buffer.concat([NAME, PASSWORD, large, large, CLOSE]);
    expect(await talk(port, all)).toBe('0000000000');
    expect(old.received.equals(all)).toBe(true);
  });

  test('a server that never answers is given up', async () => {
    const { port, told } = await guarding({ holdTimeout: 50 });
    old.answer = () => Buffer.alloc(0);
    expect(await talk(port, Buffer.concat([NAME, PASSWORD]))).toBe('');
    await expect.poll(() => told.ended).toEqual(['timeout']);
  });

  test('whoever breaks off takes the other with it', async () => {
    const { port, sessions } = await guarding();
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(NAME);
    await once(socket, 'data');
    old.cut();
    await once(socket, 'close');
    const another = connect({ port, host: '127.0.0.1' });
    await once(another, 'connect');
    another.write(NAME);
    await once(another, 'data');
    another.resetAndDestroy();
    await expect.poll(() => sessions.size).toBe(0);
  });

  test('a server that cannot be reached costs the client its connection, and is told', async () => {
    const unreachable: string[] = [];
    const { port } = await guarding({
      upstream: { host: '127.0.0.1', port: 1 },
      upstreamObserver: { unreachable: (_, error) => void unreachable.push(String(error)) },
    });
    expect(await talk(port, NAME)).toBe('');
    expect(unreachable).toHaveLength(1);
  });
});

describe('a wire that changes: STARTTLS', () => {
  /** Greets, says 250 to each line, and what it is told to STARTTLS; behind a 220 it echoes. */
  async function mailServer(answer: string): Promise<{ readonly port: number; readonly got: () => string }> {
    let got = '';
    const { port } = await tcpServer((socket) => {
      let secure = false;
      socket.write('220 old ESMTP\r\n');
      socket.on('data', (bytes) => {
        got += bytes.toString('latin1');
        if (secure) return socket.write(bytes);
        for (const line of bytes.toString('latin1').split('\r\n').filter(Boolean)) {
          const asks = line === 'STARTTLS';
          secure ||= asks && answer.startsWith('220');
          socket.write(asks ? answer : '250 OK\r\n');
        }
        return undefined;
      });
    });
    return { port, got: () => got };
  }

  async function inFront(upstream: number, options: Partial<GuardOptions> = {}) {
    const told: string[] = [];
    const running = await guard(smtp, {
      host: '127.0.0.1',
      port: 0,
      upstream: { port: upstream },
      observer: { refused: (_, { code, received }) => void told.push(`${code} ${received}`) },
      upstreamObserver: {
        upgraded: () => void told.push('upgraded'),
        faulted: (_, error) => void told.push(error.message),
        lost: (_, why) => void told.push(why),
      },
      ...options,
    });
    onTestFinished(() => running.close());
    const { client, heard } = textClient(running.port);
    await expect.poll(heard).toBe('220 old ESMTP\r\n');
    client.write('EHLO me\r\n');
    await expect.poll(heard).toMatch(/250 OK\r\n$/);
    return { client, told, heard };
  }

  test('behind it all passes unwatched', async () => {
    const { port } = await mailServer('220 go ahead\r\n');
    const { client, told, heard } = await inFront(port);
    client.write('STARTTLS\r\n');
    await expect.poll(heard).toMatch(/220 go ahead\r\n$/);
    client.write(Buffer.of(22, 3, 1, 0, 1, 0));
    await expect.poll(heard).toMatch(/\x16\x03\x01\0\x01\0$/);
    expect(told).toEqual(['upgraded']);
  });

  test('or is closed, where that is asked for', async () => {
    const { port } = await mailServer('220 go ahead\r\n');
    const { client, told } = await inFront(port, { afterUpgrade: 'close' });
    client.write('STARTTLS\r\n');
    await once(client, 'close');
    expect(told).toEqual(['upgraded']);
  });

  test('where it is refused, the dialogue goes on, and what waited behind it is judged', async () => {
    const { port, got } = await mailServer('454 not today\r\n');
    const { client, told, heard } = await inFront(port);
    client.write('STARTTLS\r\nMAIL FROM:<a@b.example>\r\n');
    await expect.poll(heard).toMatch(/454 not today\r\n250 OK\r\n$/);
    expect(got()).toMatch(/STARTTLS\r\nMAIL FROM:<a@b.example>\r\n$/);
    expect(told).toEqual([]);
  });

  test('plain bytes behind a STARTTLS that is granted are a violation, and never come inside', async () => {
    const { port, got } = await mailServer('220 go ahead\r\n');
    const { client, told } = await inFront(port);
    client.write('STARTTLS\r\nRCPT TO:<injected@b.example>\r\n');
    await once(client, 'close');
    expect(told).toEqual(['violation bytes that begin no frame']);
    expect(got()).toMatch(/STARTTLS\r\n$/);
  });
});
