import { createServer, type Socket } from 'node:net';
import { parseArgs } from 'node:util';

/** What every floor is told on its command line, in the words of the real server: `PORT --log FILE --fsync HOW`. */
export const { port, log, fsync, frameBytes } = fromCommandLine();

/**
 * Serves `accept` on the port given and says so on stdout as the real server does: `listening on HOST:PORT`.
 *
 * A reset is how the load generator leaves; a floor takes it as the end and nothing more.
 */
export function listen(accept: (socket: Socket) => void): void {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    accept(socket);
  });
  // The default backlog of 511 drops SYNs when 1,000 clients come at once, and each then waits a second.
  server.listen({ port, host: '127.0.0.1', backlog: 4096 }, () => {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening on a TCP port');
    console.log(`listening on ${address.address}:${address.port}`);
  });
}

function fromCommandLine() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      log: { type: 'string', short: 'l', default: './messages.log' },
      fsync: { type: 'string', default: 'no' },
      'frame-bytes': { type: 'string', default: '35' },
    },
  });
  return {
    port: Number(positionals[0] ?? 0),
    log: values.log,
    fsync: fsyncNamed(values.fsync),
    frameBytes: Number(values['frame-bytes']),
  };
}

/** `no`: the kernel decides. `group`: one fdatasync for what came while the last one ran. `each`: one a message. */
export type Fsync = 'no' | 'group' | 'each';

function fsyncNamed(name: string): Fsync {
  if (name === 'no' || name === 'group' || name === 'each') return name;
  throw new Error(`--fsync ${name}: expected no, group or each`);
}
