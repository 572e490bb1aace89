import { accessSync, closeSync, constants, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Failure } from './failure.ts';

/** Permissions of files that are made, less what the umask takes: what they tell is not for everybody. */
export const NEW_FILE = 0o640;

/**
 * Does not make the file where there is none: a start that is refused leaves nothing behind.
 *
 * @throws Failure when the file, called `what` to the operator, cannot be appended to.
 */
export function checkWritable(path: string, what: string): void {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    // To open one would wait for its reader.
    if (found?.isFIFO()) throw new Error('it is a FIFO');
    if (found !== undefined) closeSync(openSync(path, 'a'));
    // With the stroke, what is no folder is refused.
    else accessSync(`${dirname(path)}/`, constants.W_OK | constants.X_OK);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(`cannot write the ${what} ${path}: ${reason}; name another file`);
  }
}
