// wirechart serve message-log --authenticator ./authenticator.js
import { readFile } from 'node:fs/promises';
import { openPasswords, PasswordsBusy } from 'wirechart/passwords';

const file = process.env.WIRECHART_USERS ?? 'users.json';
// Threads of its own: those that write the log are not kept waiting, however many guess. Addresses take turns.
const passwords = await openPasswords();

/** @param {{ name: Uint8Array, password: Uint8Array, source: string }} login */
export default async function authenticate({ name, password, source }) {
  // Read at each login: a user added by add-user.js may log in at once.
  const users = new Map(Object.entries(JSON.parse(await readFile(file, 'utf8'))));
  const account = Buffer.from(name).toString();
  // Unknown names cost the same work, so the time taken does not tell who has an account.
  return passwords.verify(users.get(account), password, { source, account }).catch((error) => {
    // Too many guesses from there: a no, and not a fault of the server.
    if (error instanceof PasswordsBusy) return false;
    throw error;
  });
}
