/** Exit codes, as the manual states them. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/** A command cannot go on: one clear line for the person who typed it, and what to do next. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exitCode: number;
  readonly code: 'failed' | 'usage';

  constructor(message: string, exitCode: number = EXIT.failed) {
    super(message);
    this.exitCode = exitCode;
    this.code = exitCode === EXIT.usage ? 'usage' : 'failed';
  }
}
