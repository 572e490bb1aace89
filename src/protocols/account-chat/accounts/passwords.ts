import { randomBytes } from 'node:crypto';
import { hash as argon2Hash, verify as argon2Verify } from '@node-rs/argon2';

/** Salted slow hashes of passwords. A password is in no error, no log and no field of this. */
export interface Passwords {
  /**
   * The argon2id hash of a password under a fresh salt, as a PHC string (`$argon2id$v=19$m=...`).
   *
   * @throws PasswordsBusy when as many as may wait do.
   */
  hash(password: string): Promise<string>;

  /**
   * Whether the hash was made of this password. Without a hash (no such user) the answer is false after the same work,
   * so the time taken does not tell who has an account. (A hash made at another cost takes that cost's time.)
   *
   * @throws PasswordsBusy when as many as may wait do. It rejects rather than answers, so that a caller who forgets
   * the case refuses a login instead of granting one.
   * @throws Error when the stored hash is damaged.
   */
  verify(hash: string | undefined, password: string): Promise<boolean>;
}

/** How slow, and how much of the machine. */
export interface PasswordOptions {
  /**
   * Memory of one hash in KiB and passes over it, as argon2id's m and t (RFC 9106, section 4); its p is 1. Default
   * 19 MiB and 2 passes: OWASP's minimum, about 13 ms. Lower it in tests and benchmarks only; at the least 8 and 1.
   */
  readonly cost?: { readonly memoryKiB: number; readonly passes: number };
  /** Hashes worked on at once. Default 2: they run in libuv's threads, 4 by default, which files and DNS need too. */
  readonly parallel?: number;
  /** Calls that may wait for their turn, in order. Default 64: under half a second of work at the default cost. */
  readonly maxWaiting?: number;
}

/** There is too much to hash already: refuse the one who asked, who may try again. Nothing was hashed. */
export class PasswordsBusy extends Error {
  override readonly name = 'PasswordsBusy';
  constructor(waiting: number) {
    super(
      `Too many passwords to check: ${waiting} wait already. Try again in a moment, or raise maxWaiting.`,
    );
  }
}

/**
 * Starts the hashing of passwords: off the main thread, a few at once, with a bound on how many may wait.
 *
 * @throws RangeError when an option is out of its range.
 */
export async function openPasswords(options: PasswordOptions = {}): Promise<Passwords> {
  const { cost = { memoryKiB: 19_456, passes: 2 }, parallel = 2, maxWaiting = 64 } = options;
  check('cost.memoryKiB', cost.memoryKiB, 8);
  check('cost.passes', cost.passes, 1);
  check('parallel', parallel, 1);
  check('maxWaiting', maxWaiting, 0);
  const settings = { memoryCost: cost.memoryKiB, timeCost: cost.passes, parallelism: 1 };
  const nobody = await argon2Hash(randomBytes(32), settings);
  const inTurn = turns(parallel, maxWaiting);

  return {
    hash: (password) => inTurn(() => argon2Hash(password, settings)),
    verify: (hash, password) =>
      inTurn(async () => {
        const right = await argon2Verify(hash ?? nobody, password).catch((cause: unknown) => {
          throw new Error('The stored hash of a password is damaged: it is no argon2 PHC string.', { cause });
        });
        return right && hash !== undefined;
      }),
  };
}

/** Runs work at most `parallel` at once, the rest in order of arrival. */
function turns(parallel: number, maxWaiting: number): <T>(work: () => Promise<T>) => Promise<T> {
  const queue: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running < parallel) running += 1;
    else if (queue.length >= maxWaiting) throw new PasswordsBusy(queue.length);
    else await new Promise<void>((resolve) => queue.push(resolve));
    try {
      return await work();
    } finally {
      // The turn is handed on, not given back: nobody who comes now may overtake one who waits.
      const next = queue.shift();
      if (next) next();
      else running -= 1;
    }
  };
}

function check(option: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`${option} is ${value}; expected a whole number of at least ${least}.`);
  }
}
