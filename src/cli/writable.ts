import { closeSync, openSync, statSync } from 'node:fs';
import { Failure } from './failure.ts';

/** Permissions of files that are made, less what the umask takes: what they tell is not for everybody. */
export const NEW_FILE = 0o640;

/** @throws Failure when the file, called `what` to the operator, cannot be appended to. */
export function checkWritable(path: string, what: string, mode = NEW_FILE): void {
  try {
    // To open one would wait for its reader.
    if (statSync(path, { throwIfNoEntry: false })?.isFIFO()) throw new Error('it is a FIFO');
    closeSync(openSync(path, 'a', mode));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(`cannot write the ${what} ${path}: ${reason}; name another file`);
  }
}
