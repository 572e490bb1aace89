import { inspect } from 'node:util';

/**
 * Tells an observer what is no session's affair. Where that fails no session can end for it, and the server must not: Node
 * warns of it on stderr.
 */
export function announce(tell: () => unknown): void {
  try {
    const told = tell();
    if (told instanceof Promise) told.catch(warn);
  } catch (error) {
    warn(error);
  }
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : inspect(error));
}
