// printf '%s' "$password" | node add-user.js ann
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { openPasswords } from 'wirechart/passwords';

const file = process.env.WIRECHART_USERS ?? 'users.json';
const [name] = process.argv.slice(2);
const password = await text(process.stdin);
if (name === undefined || password === '') {
  console.error('usage: add-user.js NAME, with the password on standard input');
  process.exit(2);
}
const users = new Map(existsSync(file) ? Object.entries(JSON.parse(readFileSync(file, 'utf8'))) : []);
users.set(name, await (await openPasswords()).hash(password));
// Hashes of passwords are nobody else's to read.
writeFileSync(file, `${JSON.stringify(Object.fromEntries(users), null, 2)}\n`, { mode: 0o600 });
