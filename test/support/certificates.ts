import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Why no certificates can be made here; undefined when they can. */
export const noOpenssl =
  spawnSync('openssl', ['version']).status === 0 ? undefined : 'openssl is not installed';

/** A certificate with its key, both in files and here. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** An authority of this test's own. */
export class Authority {
  readonly own: Certificate;
  readonly #directory: string;
  readonly #name: string;

  constructor(directory: string, name = 'authority') {
    this.#directory = directory;
    this.#name = name;
    this.own = this.#made(name, [
      ...['-x509', '-days', '2', '-subj', `/CN=${name}`],
      ...['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign'],
    ]);
  }

  /** Signs a certificate for a name, and for `localhost` and 127.0.0.1. */
  sign(name: string): Certificate {
    return this.#made(name, [
      ...[
        '-x509',
        '-days',
        '2',
        '-subj',
        `/CN=${name}`,
        '-CA',
        this.own.certFile,
        '-CAkey',
        this.own.keyFile,
      ],
      ...['-addext', 'basicConstraints=critical,CA:FALSE'],
      ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
    ]);
  }

  #made(name: string, words: readonly string[]): Certificate {
    const certFile = join(this.#directory, `${this.#name}-${name}.crt`);
    const keyFile = join(this.#directory, `${this.#name}-${name}.key`);
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
    execFileSync('openssl', ['req', ...key, '-out', certFile, ...words], { stdio: 'pipe' });
    return { certFile, keyFile, cert: readFileSync(certFile), key: readFileSync(keyFile) };
  }
}
