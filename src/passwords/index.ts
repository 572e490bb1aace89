/**
 * Passwords for servers: hashed in threads of their own, fair between sources, delayed after failures.
 *
 * @packageDocumentation
 */
export {
  type Asker,
  openPasswords,
  type PasswordOptions,
  type Passwords,
  PasswordsBusy,
} from './passwords.ts';
