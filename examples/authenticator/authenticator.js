// wirechart serve message-log --authenticator ./authenticator.js
import { readFile } from 'node:fs/promises';
import { hash, verify } from '@node-rs/argon2';

const file = process.env.WIRECHART_USERS ?? 'users.json';
// Unknown names cost the same work, so the time taken does not tell who has an account.
const nobody = await hash('nobody');

/** @param {{ name: Uint8Array, password: Uint8Array, peer: string }} login */
export default async function authenticate({ name, password }) {
  // Read at each login: a user added by add-user.js may log in at once.
  const users = new Map(Object.entries(JSON.parse(await readFile(file, 'utf8'))));
  const known = users.get(Buffer.from(name).toString());
  return (await verify(known ?? nobody, password)) && known !== undefined;
}
