import { readFileSync } from 'node:fs';
import { parseAddress } from '../transport/address.ts';
import type { ClientTlsOptions } from '../transport/socket/tls.ts';
import type { Address } from './arguments.ts';
import { EXIT, Failure } from './failure.ts';
import { type OptionsOf, toggle, value } from './flag.ts';

/** How a server is spoken to: flags of every command that connects. */
export const reachingFlags = {
  tls: toggle('speak TLS; without it, passwords travel in clear'),
  ca: value(
    '<file>',
    'who may have signed the certificate of the server, PEM (default: whom the system trusts)',
  ),
  cert: value('<file>', 'certificate to show to the server, PEM'),
  key: value('<file>', 'its key, PEM'),
};

/** What these flags say; to be given to `connect`. @throws Failure when a file cannot be read, or TLS is not asked for. */
export function tlsOf({ tls, ca, cert, key }: OptionsOf<typeof reachingFlags>): ClientTlsOptions | undefined {
  const [unused] = [ca, cert, key].filter((file) => file !== undefined);
  if (!tls && unused !== undefined) throw new Failure(`${unused} is for TLS: add --tls`, EXIT.usage);
  return tls ? { ca: fileOf(ca), cert: fileOf(cert), key: fileOf(key) } : undefined;
}

/** Where a server is reached: what has no port (`unix:PATH`, `ws://...`, `stdio:COMMAND`) stands in the place of the host. */
export function serverAddress(text: string): Address {
  const at = parseAddress(text);
  if ('path' in at) return { host: `unix:${at.path}`, port: 0 };
  if ('port' in at) return { host: at.host, port: at.port };
  return { host: 'url' in at ? at.url : `stdio:${at.command}`, port: 0 };
}

/** Waits for a connection. @throws Failure that says what could not be reached, and what should be running there. */
export async function reached<T>(connecting: Promise<T>, where: string, what: string): Promise<T> {
  try {
    return await connecting;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(`cannot reach ${where}: ${reason}; is ${what} running there?`);
  }
}

/** What a file for TLS holds. @throws Failure when it cannot be read. */
export function fileOf(file: string | undefined): Buffer | undefined {
  try {
    return file === undefined ? undefined : readFileSync(file);
  } catch (error) {
    throw new Failure(`cannot use ${file} for TLS: ${error instanceof Error ? error.message : error}`);
  }
}
