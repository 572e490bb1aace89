/** What was being done when a {@link LogFault} arose; `repair` takes a torn record off the end. */
export type LogOperation = 'open' | 'read' | 'write' | 'sync' | 'repair';

/** A file of the message log cannot be opened, read, written or synchronised. */
export class LogFault extends Error {
  override readonly name = 'LogFault';
  /**
   * The system's error code, `ENOSPC` for instance, `UNKNOWN` when it gave none; `BAD_KIND` of a path that is no regular
   * file, `BAD_FORMAT` of a log in another format.
   */
  readonly code: string;
  readonly path: string;
  readonly operation: LogOperation;
  /** What the operator can do about it. */
  readonly advice: string;

  constructor(operation: LogOperation, path: string, cause: unknown) {
    const code = codeOf(cause);
    const known =
      operation === 'read' && code === 'ENOENT' ? 'name the file that the server appends to' : ADVICE[code];
    const advice = known ?? 'see the system log for the state of the disk';
    super(`cannot ${operation} the log ${path}: ${REASONS[code] ?? reasonOf(cause)} (${code}); ${advice}`, {
      cause,
    });
    this.code = code;
    this.path = path;
    this.operation = operation;
    this.advice = advice;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file has reached the largest size allowed',
  EIO: 'the disk failed',
  EISDIR: 'it is a directory',
  EMFILE: 'too many files are open in this process',
  ENFILE: 'too many files are open on this machine',
  ENOENT: 'there is no such file or directory',
  ENOSPC: 'no space is left on the device',
  ENOTDIR: 'a part of its path is not a directory',
  EPERM: 'the operation is not permitted',
  EROFS: 'the file system is read-only',
};

const ADVICE: Readonly<Record<string, string>> = {
  BAD_KIND: 'name a regular file: a log is read back, repaired and rotated',
  BAD_FORMAT: 'start with the --log-format that it was written in, or name another file',
  EACCES: 'give this user permission to read and write it, or name another file',
  EDQUOT: 'free some space or raise the quota; logging resumes by itself',
  EFBIG: 'rotate the log or raise the file size limit; logging resumes by itself',
  EIO: 'check the disk; logging resumes by itself once it works',
  EISDIR: 'name a file',
  EMFILE: 'raise the limit of open files (ulimit -n)',
  ENFILE: 'close files or raise the limit of the machine',
  ENOENT: 'create it, or name another file',
  ENOSPC: 'free some space; logging resumes by itself',
  ENOTDIR: 'name another file',
  EPERM: 'give this user permission to read and write it, or name another file',
  EROFS: 'mount it writable, or name another file',
};

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : 'UNKNOWN';
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
