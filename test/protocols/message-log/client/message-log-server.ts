import { readFile } from 'node:fs/promises';
import { connect as connectSocket, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Authenticate, messageLogHandlers } from '../../../../src/protocols/message-log/handlers.ts';
import { openFileLog } from '../../../../src/protocols/message-log/log/file-log.ts';
import type { MessageLog } from '../../../../src/protocols/message-log/log/message-log.ts';
import { messageLog } from '../../../../src/protocols/message-log/protocol.ts';
import { Slices } from '../../../../src/transport/slices.ts';
import { listen } from '../../../../src/transport/socket/listen.ts';
import { temporaryDirectory } from '../../../support/temporary.ts';

export interface RunningServer {
  readonly port: number;
  /** All that is on the log. */
  log(): Promise<string>;
  close(): Promise<void>;
}

/** A message-log server of this test's own, with a real log file. */
export async function messageLogServer(
  options: { authenticate?: Authenticate; room?: number; port?: number } = {},
): Promise<RunningServer> {
  const { authenticate, room = Number.POSITIVE_INFINITY, port = 0 } = options;
  const path = join(await temporaryDirectory(), 'messages.log');
  const log = withRoom(await openFileLog(path, { fsync: 'no' }), room);
  const open = messageLogHandlers({ log, ...(authenticate === undefined ? {} : { authenticate }) });
  const server = await listen(messageLog, open, { host: '127.0.0.1', port });
  const close = async () => {
    await server.close();
    await log.close();
  };
  let closed: Promise<void> | undefined;
  const closeOnce = () => {
    closed ??= close();
    return closed;
  };
  onTestFinished(closeOnce);
  return { port: server.port, log: () => readFile(path, 'utf8'), close: closeOnce };
}

/** A log that refuses what comes after `room` messages, as one on a full disk does. */
function withRoom(log: MessageLog, room: number): MessageLog {
  let left = room;
  return {
    writer(author) {
      const writer = log.writer(author);
      return {
        append(messages, answer) {
          const taken = Slices.of(...[...messages].slice(0, left));
          left -= taken.length;
          writer.append(taken, answer);
        },
      };
    },
    reopen: () => log.reopen(),
    close: () => log.close(),
  };
}

/** A server of any behaviour: `serve` has each socket. */
export async function rawServer(serve: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a TCP address');
  return address.port;
}

/** As the old servers behave: each message is logged and acknowledged, CLOSE and the end of the stream are refused. */
export async function oldServer(): Promise<{ readonly port: number; readonly log: readonly string[] }> {
  const log: string[] = [];
  const port = await rawServer((socket) => {
    let received = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      while (received.length >= 3) {
        const [code = 0] = received;
        const end = 3 + received.readUInt16LE(1);
        if (code === 4) return void socket.end(Buffer.of(0xff));
        if (received.length < end) return;
        if (code === 3) log.push(received.toString('latin1', 3, end));
        received = received.subarray(end);
        socket.write(Buffer.of(0));
      }
      if (received[0] === 4) socket.end(Buffer.of(0xff));
    });
    socket.on('end', () => socket.end(Buffer.of(0xff)));
  });
  return { port, log };
}

/**
 * An address that takes no connection and refuses none: the queue of a listener that never accepts, filled.
 * Undefined where the system behaves otherwise.
 */
export async function silentPort(): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined;
  const { spawn } = await import('node:child_process');
  // Node accepts whatever comes; Python's socket listens and leaves it at that.
  const script =
    'import socket,sys\ns=socket.socket()\ns.bind(("127.0.0.1",0))\ns.listen(0)\nprint(s.getsockname()[1],flush=True)\nsys.stdin.read()';
  const child = spawn('python3', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const port = await new Promise<number | undefined>((resolve) => {
    child.once('error', () => resolve(undefined));
    child.stdout.once('data', (text: Buffer) => resolve(Number(text.toString())));
  });
  if (port === undefined) return undefined;
  const fillers = Array.from({ length: 4 }, () => connectSocket({ host: '127.0.0.1', port }));
  for (const filler of fillers) filler.on('error', () => {});
  onTestFinished(() => {
    for (const filler of fillers) filler.destroy();
    child.kill();
  });
  await new Promise<void>((resolve) => fillers[0]?.once('connect', resolve));
  return port;
}
