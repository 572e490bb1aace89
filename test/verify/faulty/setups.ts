/**
 * Servers that are not wrong implementations but wrong set-ups (or right ones in unusual clothes): a verifier
 * must not report "your bug" for any of them.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { type Listening, listen, refuse, right, serve } from './reference.ts';

export interface SetUp {
  readonly id: string;
  readonly says: string;
  /** `conforms`: a pass; `flaky`: reported as such; `set-up`: not a conforming message-log server to test at all. */
  readonly verdict: 'conforms' | 'flaky' | 'set-up';
  listen(): Promise<Pick<Listening, 'port' | 'close'>>;
}

/** Enough to drown a careless reader, not this machine. */
const FLOOD_BYTES = 64 * 1024 * 1024;
const FRAMES_UNTIL_DEATH = 40;

/** All set-ups; ids are stable. */
export const setUps: readonly SetUp[] = [
  {
    id: 'smtp',
    says: 'greets like a mail server and knows no command',
    verdict: 'set-up',
    listen: () =>
      accepting((socket) => {
        socket.write('220 mail.example ESMTP\r\n');
        socket.on('data', () => socket.write('500 5.5.2 Syntax error\r\n'));
        socket.on('end', () => socket.end());
      }),
  },
  {
    id: 'http',
    says: 'answers everything by 400 Bad Request',
    verdict: 'set-up',
    listen: () =>
      accepting((socket) => {
        socket.once('data', () => {
          socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
          socket.resume();
        });
        socket.on('end', () => socket.end());
      }),
  },
  {
    id: 'flood',
    says: 'sends zeros without being asked, 64 MiB for a connection',
    verdict: 'set-up',
    listen: () => accepting(flood),
  },
  {
    id: 'mute',
    says: 'reads and never answers',
    verdict: 'set-up',
    listen: () => accepting((socket) => void socket.resume()),
  },
  {
    id: 'deaf',
    says: 'accepts and never reads',
    verdict: 'set-up',
    listen: () => accepting(() => undefined),
  },
  {
    id: 'hangs-up',
    says: 'accepts and closes at once',
    verdict: 'set-up',
    listen: () => accepting((socket) => void socket.end().resume()),
  },
  {
    id: 'refuses-everybody',
    says: 'refuses every PASSWORD: wrong credentials',
    verdict: 'set-up',
    listen: () =>
      listen((correct) => ({
        ...correct,
        judgeFrame: (code, payload, at) =>
          at.state === 'P' ? refuse : correct.judgeFrame(code, payload, at),
      })),
  },
  {
    id: 'dies',
    says: `right until ${FRAMES_UNTIL_DEATH} frames were answered, then the whole server is gone`,
    verdict: 'set-up',
    listen: dying,
  },
  {
    id: 'flaky',
    says: 'right, but one answer in ten is 0xff out of nowhere',
    verdict: 'flaky',
    listen: flaky,
  },
  {
    id: 'slow',
    says: 'right, 40 ms late',
    verdict: 'conforms',
    listen: () => listen((correct) => ({ ...correct, thinksMs: 40 })),
  },
  {
    id: 'one-at-a-time',
    says: 'right, but it serves one connection after another',
    verdict: 'conforms',
    listen: oneAtATime,
  },
];

async function accepting(welcome: (socket: Socket, server: Server) => void) {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    welcome(socket, server);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a TCP address');
  return {
    port: address.port,
    close: () =>
      new Promise<void>((resolve) => {
        // A server that has died is closed already.
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function flood(socket: Socket): void {
  const zeros = Buffer.alloc(65536);
  let left = FLOOD_BYTES;
  const pour = (): void => {
    while (left > 0 && !socket.destroyed) {
      left -= zeros.length;
      if (!socket.write(zeros)) return;
    }
  };
  socket.on('drain', pour);
  socket.on('end', () => socket.end());
  socket.resume();
  pour();
}

async function dying() {
  const doomed: Socket[] = [];
  let frames = 0;
  return accepting((socket, server) => {
    doomed.push(socket);
    serve(socket, {
      ...right,
      judgeCode(code, at) {
        frames += 1;
        if (frames > FRAMES_UNTIL_DEATH) {
          server.close();
          for (const victim of doomed) victim.resetAndDestroy();
        }
        return right.judgeCode(code, at);
      },
    });
  });
}

/** Seeded, so that a run can be repeated; the order of connections still varies. */
async function flaky() {
  let seed = 20_261_121;
  const oneInTen = (): boolean => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed / 2_147_483_648 < 0.1;
  };
  return listen((correct) => ({
    ...correct,
    judgeFrame: (code, payload, at) => (oneInTen() ? refuse : correct.judgeFrame(code, payload, at)),
  }));
}

async function oneAtATime() {
  let turn: Promise<void> = Promise.resolve();
  return accepting((socket) => {
    turn = turn.then(() => {
      if (socket.destroyed) return;
      serve(socket, right);
      return new Promise((resolve) => void socket.once('close', () => resolve()));
    });
  });
}
