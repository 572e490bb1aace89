import { FairQueue } from './fair-queue.ts';
import { HashingThreads, type Settings } from './hashing-threads.ts';
import { LoginPairs } from './login-pairs.ts';

/** Who asks for a password to be hashed or checked: what fairness goes by. */
export interface Asker {
  /** Where the request comes from, a client's address without its port: those of many sources take turns. */
  readonly source: string;
  /** The account asked for, if any: after a failure, the next attempt of the same source at it waits. */
  readonly account?: string;
  /** Failed attempts on this connection so far: of one source, those with the fewest go first. Default 0. */
  readonly failures?: number;
  /** Whether nobody waits for the answer any more; asked before the work begins. */
  readonly gone?: () => boolean;
}

/** Salted slow hashes of passwords. A password is in no error, no log and no field of this. */
export interface Passwords {
  /**
   * The argon2id hash of a password under a fresh salt, as a PHC string (`$argon2id$v=19$m=...`).
   *
   * @throws PasswordsBusy when too many wait.
   */
  hash(password: string | Uint8Array, asker?: Asker): Promise<string>;

  /**
   * Whether the hash was made of this password. Without a hash (no such user) the answer is false after the same work,
   * so the time taken does not tell who has an account. (A hash made at another cost takes that cost's time.)
   *
   * @throws PasswordsBusy when too many wait. It rejects rather than answers, so that a caller who forgets
   * the case refuses a login instead of granting one.
   * @throws Error when the stored hash is damaged.
   */
  verify(hash: string | undefined, password: string | Uint8Array, asker?: Asker): Promise<boolean>;
}

/** How slow, and how much of the machine. */
export interface PasswordOptions {
  /**
   * Memory of one hash in KiB and passes over it, as argon2id's m and t (RFC 9106, section 4); its p is 1. Default
   * 19 MiB and 2 passes: OWASP's minimum, about 13 ms. Lower it in tests and benchmarks only; at the least 8 and 1.
   */
  readonly cost?: { readonly memoryKiB: number; readonly passes: number };
  /** Threads that hash, none of them libuv's, which files and DNS need. Default 2. */
  readonly parallel?: number;
  /** Calls that may wait for their turn; one more pushes out the one whose source has the most. Default 1024. */
  readonly maxWaiting?: number;
  /** Milliseconds that a pair of source and account waits after its first failure; doubled by each. Default 250. */
  readonly firstDelay?: number;
}

/** There is too much to hash already: refuse the one who asked, who may try again. Nothing was hashed. */
export class PasswordsBusy extends Error {
  override readonly name = 'PasswordsBusy';
  /** For those who branch on it. */
  readonly code = 'PASSWORDS_BUSY';
  constructor() {
    super('Too many passwords wait to be checked, most of them from the same source: try again in a moment.');
  }
}

interface Job {
  readonly task: Parameters<HashingThreads['run']>[0];
  readonly gone: () => boolean;
  readonly resolve: (result: string | boolean) => void;
  readonly reject: (reason: unknown) => void;
}

const LOCAL: Asker = { source: '' };

/**
 * Starts the hashing of passwords: in threads of its own that give way to the rest of the program, a few at once, fair
 * between sources, with a bound on how many may wait. Needs the package `@node-rs/argon2`.
 *
 * @throws RangeError when an option is out of its range.
 */
export async function openPasswords(options: PasswordOptions = {}): Promise<Passwords> {
  const {
    cost = { memoryKiB: 19_456, passes: 2 },
    parallel = 2,
    maxWaiting = 1024,
    firstDelay = 250,
  } = options;
  check('cost.memoryKiB', cost.memoryKiB, 8);
  check('cost.passes', cost.passes, 1);
  check('parallel', parallel, 1);
  check('maxWaiting', maxWaiting, 0);
  check('firstDelay', firstDelay, 0);
  const settings: Settings = { memoryCost: cost.memoryKiB, timeCost: cost.passes, parallelism: 1 };
  const threads = new HashingThreads(parallel, settings);
  // Of nobody's password: what an unknown user is checked against.
  const nobody = String(await threads.run({ password: crypto.randomUUID() }));
  const queue = new FairQueue<Job>(maxWaiting);
  const pairs = new LoginPairs(firstDelay, () => new PasswordsBusy());

  const inTurn = (task: Job['task'], { source, failures = 0, gone = () => false }: Asker) =>
    new Promise<string | boolean>((resolve, reject) => {
      const job: Job = { task, gone, resolve, reject };
      if (threads.idle > 0) return void begin(job);
      queue.push(job, source, failures)?.reject(new PasswordsBusy());
    });
  const begin = async ({ task, gone, resolve, reject }: Job): Promise<void> => {
    if (gone()) resolve(false);
    else await threads.run(task).then(resolve, reject);
    const next = queue.shift();
    if (next !== undefined) void begin(next);
  };

  return {
    hash: async (password, asker = LOCAL) => String(await inTurn({ password }, asker)),
    verify(hash, password, asker) {
      const attempt = async (): Promise<boolean> => {
        const right = (await inTurn({ password, hash: hash ?? nobody }, asker ?? LOCAL)) === true;
        // Who does not learn the answer has not tried.
        if (!right && asker !== undefined && asker.gone?.() !== true) queue.suspect(asker.source);
        return right && hash !== undefined;
      };
      return asker?.account === undefined
        ? attempt()
        : pairs.inTurn(asker.source, asker.account, attempt, asker.gone);
    },
  };
}

function check(option: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`${option} is ${value}; expected a whole number of at least ${least}.`);
  }
}
