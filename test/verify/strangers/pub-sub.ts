/** A small protocol whose server speaks first, pushes, and delivers to others; and a server of it that can be wrong. */
import { createServer, type Socket } from 'node:net';
import { setup } from 'xstate';
import { bytes, is, u8 } from '../../../src/transport/fields/index.ts';
import { frame } from '../../../src/transport/frame.ts';
import { defineProtocol } from '../../../src/transport/protocol.ts';

const machine = setup({
  types: {
    events: {} as {
      type:
        | 'transport.accept'
        | 'transport.end'
        | 'transport.timeout'
        | 'client.SUBSCRIBE'
        | 'client.PUBLISH'
        | 'server.WELCOME'
        | 'server.SUBACK'
        | 'server.PUBACK'
        | 'server.DELIVER'
        | 'server.ERROR';
    },
    tags: {} as 'client' | 'server',
  },
}).createMachine({
  id: 'pub-sub',
  initial: 'connecting',
  on: { 'transport.end': '.closed', 'transport.timeout': '.closed' },
  states: {
    connecting: { on: { 'transport.accept': 'greeting' } },
    greeting: { tags: 'server', on: { 'server.WELCOME': 'idle', 'server.ERROR': 'closed' } },
    idle: {
      tags: 'client',
      on: { 'client.SUBSCRIBE': 'subscribing', 'client.PUBLISH': 'publishing', 'server.DELIVER': 'idle' },
    },
    subscribing: { tags: 'server', on: { 'server.SUBACK': 'idle', 'server.DELIVER': 'subscribing' } },
    publishing: { tags: 'server', on: { 'server.PUBACK': 'idle', 'server.DELIVER': 'publishing' } },
    closed: { type: 'final' },
  },
});

const short = () => bytes('u8', { min: 1 });
const error = () => ({ type: 'server.ERROR' }) as const;

/** SUBSCRIBE to topics is answered by as many codes; PUBLISH is delivered to every subscriber, PUBACK has its id. */
export const pubSub = defineProtocol({
  name: 'pub-sub',
  port: 7878,
  machine,
  frames: {
    'client.SUBSCRIBE': frame(is(u8(), 1), { id: u8(), filters: short() }),
    'client.PUBLISH': frame(is(u8(), 2), { id: u8(), topic: short(), payload: short() }),
    'server.WELCOME': frame(is(u8(), 0x10)),
    'server.SUBACK': frame(is(u8(), 0x11), { id: u8(), codes: short() }),
    'server.PUBACK': frame(is(u8(), 0x12), { id: u8() }),
    'server.DELIVER': frame(is(u8(), 0x13), { topic: short(), payload: short() }),
    'server.ERROR': frame(is(u8(), 0x1f)),
  },
  violation: { reply: error, closes: true },
  malformed: { reply: error, closes: true },
  unreadable: { reply: error },
  samples: (unique) => {
    const topic = Buffer.from(unique);
    const payload = Buffer.from(`hello ${unique}`);
    return {
      greeting: 'server.WELCOME',
      messages: {
        SUBSCRIBE: {
          message: { type: 'client.SUBSCRIBE', id: 7, filters: Uint8Array.of(1, 2, 3) },
          answer: { idle: 'server.SUBACK' },
          echoes: ['id'],
          asMany: { codes: 'filters' },
        },
        PUBLISH: {
          before: [{ type: 'client.SUBSCRIBE', id: 1, filters: topic }],
          message: { type: 'client.PUBLISH', id: 9, topic, payload },
          answer: ['server.PUBACK'],
          echoes: ['id'],
          delivers: [{ type: 'server.DELIVER', topic, payload }],
        },
      },
      malformed: {},
    };
  },
});

/** How the server is wrong; right without. */
export interface Wrong {
  readonly greetsAfter?: number;
  readonly delivers?: number;
  readonly payload?: (payload: Buffer) => Buffer;
  readonly idOf?: (id: number) => number;
  readonly codes?: (count: number) => number;
  /** The whole server stops at a frame with this code: it reads no more, or drips bytes for ever. */
  readonly stopsAt?: number;
  readonly drips?: boolean;
  /** A code that is taken in every state. */
  readonly backDoor?: number;
}

/** Serves on a free port, by hand. Who speaks before the greeting is sent away by an ERROR. */
export async function servePubSub(wrong: Wrong = {}) {
  const { greetsAfter = 20, delivers = 1, payload: bend = (whole) => whole } = wrong;
  const sockets = new Set<Socket>();
  const subscribers = new Map<Socket, Buffer>();
  let stopped = false;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    let greeted = false;
    let rest = Buffer.alloc(0);
    const refuse = () => {
      rest = Buffer.alloc(0);
      socket.removeAllListeners('data').resume();
      socket.end(Buffer.of(0x1f));
    };
    const timer = setTimeout(() => {
      greeted = true;
      if (!stopped) socket.write(Buffer.of(0x10));
      else if (wrong.drips) drip(socket);
    }, greetsAfter);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      sockets.delete(socket);
      subscribers.delete(socket);
    });
    socket.on('end', () => void (stopped || socket.end()));
    socket.on('data', (chunk: Buffer) => {
      if (stopped) return;
      if (!greeted) return refuse();
      rest = Buffer.concat([rest, chunk]);
      for (;;) {
        const [code, id, size = 0] = rest;
        if (code === undefined) return;
        if (code === wrong.stopsAt) {
          stopped = true;
          if (wrong.drips) for (const one of sockets) drip(one);
          return;
        }
        if (code === wrong.backDoor) {
          rest = rest.subarray(1);
          socket.write(Buffer.of(0x12, 0));
          continue;
        }
        if (code !== 1 && code !== 2) return refuse();
        if (id === undefined || rest.length < 3) return;
        if (size === 0) return refuse();
        const first = rest.subarray(3, 3 + size);
        if (rest.length < 3 + size) return;
        if (code === 1) {
          rest = rest.subarray(3 + size);
          subscribers.set(socket, first);
          const count = wrong.codes?.(size) ?? size;
          socket.write(Buffer.of(0x11, wrong.idOf?.(id) ?? id, count, ...Array(count).fill(0)));
          continue;
        }
        const length = rest[3 + size];
        if (length === undefined) return;
        if (length === 0) return refuse();
        const content = rest.subarray(4 + size, 4 + size + length);
        if (content.length < length) return;
        rest = rest.subarray(4 + size + length);
        const sent = bend(content);
        const delivery = Buffer.concat([Buffer.of(0x13, size), first, Buffer.of(sent.length), sent]);
        for (const [subscriber, topic] of subscribers) {
          if (topic.equals(first)) for (let times = 0; times < delivers; times++) subscriber.write(delivery);
        }
        socket.write(Buffer.of(0x12, wrong.idOf?.(id) ?? id));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a TCP address');
  return {
    port: address.port,
    revive() {
      stopped = false;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Half of a DELIVER, byte by byte, for as long as somebody listens. */
function drip(socket: Socket): void {
  socket.write(Buffer.of(0x13, 200));
  const timer = setInterval(() => socket.write(Buffer.of(0x61)), 40);
  socket.on('close', () => clearInterval(timer));
}
