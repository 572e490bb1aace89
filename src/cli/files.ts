import { accessSync, closeSync, constants, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { EXIT, Failure } from './failure.ts';

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
    throw new Failure(`cannot write the ${what} ${path}: ${reasonOf(error)}; name another file`);
  }
}

/** @throws Failure when the file, named by a flag or an operand, cannot be read. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Failure(`cannot read ${path}: ${reasonOf(error)}`, EXIT.usage);
  }
}

/** @throws Failure when the file cannot be written. */
export function writeText(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new Failure(`cannot write ${path}: ${reasonOf(error)}; name another file`, EXIT.usage);
  }
}

/** As the system says it: `no such file or directory`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const number = 'errno' in error && typeof error.errno === 'number' ? error.errno : 0;
  return getSystemErrorMap().get(number)?.[1] ?? error.message;
}
