import { createHash, timingSafeEqual } from 'node:crypto';

/** The text in base64; `undefined` where it is none. */
export function textIn(base64: string): string | undefined {
  const bytes = Buffer.from(base64, 'base64');
  return bytes.toString('base64') === base64 ? bytes.toString() : undefined;
}

/** Name and password of AUTH PLAIN (RFC 4616); whom one acts for must be oneself. */
export function credentialsIn(
  base64: string,
): { readonly name: string; readonly password: string } | undefined {
  const [actsFor, name, password, ...more] = textIn(base64)?.split('\0') ?? [];
  if (name === undefined || name === '' || password === undefined || more.length > 0) return undefined;
  return actsFor === '' || actsFor === name ? { name, password } : undefined;
}

/** Whether a password is that of a name: `lines` are `NAME:PASSWORD`. */
export function usersOf(lines: readonly string[]): (name: string, password: string) => boolean {
  const passwords = new Map(
    lines
      .filter((line) => line.includes(':'))
      .map((line) => {
        const [name = '', password = ''] = line.split(/:(.*)/s);
        return [name, hash(password)];
      }),
  );
  const nobody = hash('');
  return (name, password) => {
    const known = passwords.get(name);
    return timingSafeEqual(known ?? nobody, hash(password)) && known !== undefined;
  };
}

/** Of one length, so that nobody can measure how much of it was right. */
function hash(password: string): Buffer {
  return createHash('sha256').update(password).digest();
}
