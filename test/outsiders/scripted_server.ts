import { createServer } from 'node:net';

/** One step of a script: these bytes must come, and are answered by those. */
export interface Step {
  readonly comes: Buffer;
  readonly answer: Buffer;
}

export interface Scripted {
  readonly port: number;
  /** Resolves when the client has followed the whole script and gone; rejects when it did anything else. */
  readonly finished: Promise<void>;
}

/**
 * A throw-away server for one connection that knows no protocol: it compares bytes and answers by rote. After
 * the last step it waits for the client to leave, or leaves itself.
 */
export async function follow(script: readonly Step[], last: 'waits' | 'ends' = 'waits'): Promise<Scripted> {
  let settle: { resolve(): void; reject(reason: Error): void };
  const finished = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  const server = createServer((socket) => {
    server.close();
    let received: Buffer = Buffer.alloc(0);
    let at = 0;
    socket.on('error', () => undefined);
    socket.on('data', (segment: Buffer) => {
      received = Buffer.concat([received, segment]);
      for (let step = script[at]; step !== undefined; step = script[at]) {
        const { comes, answer } = step;
        if (received.length < comes.length || !received.subarray(0, comes.length).equals(comes)) return;
        received = received.subarray(comes.length);
        at += 1;
        socket.write(answer);
      }
      if (last === 'ends') socket.end();
    });
    socket.once('close', () => {
      if (at === script.length && received.length === 0) settle.resolve();
      else settle.reject(new Error(`the script stopped at step ${at}, with ${received.toString('hex')}`));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a TCP address');
  // A script that fails is reported by whoever awaits `finished`, even if the client is awaited first.
  finished.catch(() => undefined);
  return { port: address.port, finished };
}
