import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { connect } from 'node:net';

/** Its owner and its group. */
const MODE = 0o660;

/**
 * Makes way for a unix socket at `path`: a socket that nobody listens at any more, left behind by a server that was
 * killed, is removed.
 *
 * @throws an error with the system's code: `EADDRINUSE` where a server listens, `EEXIST` where something else is.
 */
export async function claimPath(path: string): Promise<void> {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (!there.isSocket()) throw systemError('EEXIST', `${path} is there, and is no socket`);
  if (await answers(path)) throw systemError('EADDRINUSE', `a server listens at ${path}`);
  rmSync(path, { force: true });
}

/** Lets those connect whom `mode` lets write: by default its owner and its group. */
export function openPath(path: string, mode = MODE): void {
  chmodSync(path, mode);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false);
      else reject(error);
    });
  });
}

function systemError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
