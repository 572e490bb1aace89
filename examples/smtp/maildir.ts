import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deliver, Envelope } from './post-office.ts';

/** Bytes that are written at once. */
const WRITTEN = 64 * 1024;

/** Delivers into a folder, one file a mail: written in `tmp`, on the disk when it is in `new`, read by others into `cur`. */
export function maildir(folder: string, hostname: string): Deliver {
  for (const place of ['tmp', 'new', 'cur']) mkdirSync(join(folder, place), { recursive: true });
  return async (envelope, content) => {
    const name = `${Date.now()}.${randomUUID()}.${hostname.replace(/[^A-Za-z0-9.-]/g, '-')}`;
    const path = join(folder, 'tmp', name);
    const file = await open(path, 'wx', 0o600);
    try {
      await writeFile(file, traced(envelope, hostname, content));
      await file.sync();
      await rename(path, join(folder, 'new', name));
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
  };
}

/** RFC 5321, 4.4: where it came from goes in front. */
async function* traced(envelope: Envelope, hostname: string, content: AsyncIterable<Uint8Array>) {
  const { from, to, client, peer, user, isSecure } = envelope;
  const how = `ESMTP${isSecure ? 'S' : ''}${user === undefined ? '' : 'A'}`;
  const lines = [
    `Return-Path: <${from}>`,
    ...to.map((mailbox) => `Delivered-To: ${mailbox}`),
    `Received: from ${client} (${peer})`,
    `\tby ${hostname} with ${how}; ${new Date().toUTCString().replace('GMT', '+0000')}`,
  ];
  let gathered: Uint8Array[] = [Buffer.from(lines.map((line) => `${line}\r\n`).join(''))];
  let size = 0;
  // A dot that is taken off parts two pieces: a write for each would take long.
  for await (const piece of content) {
    gathered.push(piece);
    size += piece.length;
    if (size < WRITTEN) continue;
    yield Buffer.concat(gathered);
    [gathered, size] = [[], 0];
  }
  yield Buffer.concat(gathered);
}
