import { closeSync, openSync } from 'node:fs';
import { Failure } from './failure.ts';

/** @throws Failure when the file, called `what` to the operator, cannot be appended to. */
export function checkWritable(path: string, what: string): void {
  try {
    closeSync(openSync(path, 'a'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(`cannot write the ${what} ${path}: ${reason}; name another file`);
  }
}
