import { execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listen } from 'wirechart';
import { type FieldServer, startProgram, versionIn } from '../field-report/server.ts';
import { postgresHandlers } from './handlers.ts';
import { postgres } from './protocol.ts';

const versions = '/usr/lib/postgresql';

/** Where Debian has the newest server's programs; `undefined` where it is not installed. */
function programs(): string | undefined {
  try {
    const [newest] = readdirSync(versions).sort((one, other) => Number(other) - Number(one));
    return newest && join(versions, newest, 'bin');
  } catch {
    return undefined;
  }
}

/** `15.14`; `undefined` where it is not installed. */
export function postgresVersion(): string | undefined {
  const bin = programs();
  if (bin === undefined) return undefined;
  return /\d+\.\d+/.exec(execFileSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8' }))?.[0];
}

/** PostgreSQL does not run as root: then as the user that Debian has for it. */
const isRoot = process.getuid?.() === 0;
const asUser = (command: string, args: readonly string[]): readonly [string, readonly string[]] =>
  isRoot
    ? ['setpriv', ['--reuid=postgres', '--regid=postgres', '--clear-groups', command, ...args]]
    : [command, args];

/** Starts a PostgreSQL of its own on a port of this machine, which trusts everybody. @returns what stops it. */
export async function startPostgres(port: number): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'wirechart-postgres-'));
  if (isRoot) {
    const [uid, gid] = ['-u', '-g'].map((what) =>
      Number(execFileSync('id', [what, 'postgres'], { encoding: 'utf8' })),
    );
    chownSync(folder, uid ?? 0, gid ?? 0);
  }
  const data = join(folder, 'data');
  const bin = programs() ?? '';
  const initdb = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
  execFileSync(...asUser(join(bin, 'initdb'), initdb), { cwd: folder, stdio: 'ignore' });
  const settings = [
    ...['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off', 'logging_collector=off'],
    'log_min_messages=panic',
  ].flatMap((setting) => ['-c', setting]);
  const [command, args] = asUser(join(bin, 'postgres'), ['-D', data, '-p', `${port}`, ...settings]);
  const stop = await startProgram(port, command, args);
  return () => stop().finally(() => rmSync(folder, { recursive: true, force: true }));
}

/** The servers of the field report. */
export const postgresServers: readonly FieldServer[] = [
  {
    name: 'the example of PostgreSQL',
    protocol: postgres,
    version: () => versionIn(new URL('package.json', import.meta.url)),
    verdicts: [],
    async start(port) {
      const server = await listen(postgres, postgresHandlers(), { host: '127.0.0.1', port });
      return () => server.close();
    },
  },
  {
    name: 'PostgreSQL',
    protocol: postgres,
    version: postgresVersion,
    start: startPostgres,
    evidence: 'postgres/evidence/command-in-copy.py',
    verdicts: [
      {
        rule: /^(?:QUERY|PARSE|BIND|DESCRIBE_\w+|EXECUTE|CLOSE)(?::\S+)? (?:may come )?in open\.(?:simple|extended)\.in (?:and )?must be answered by ERROR/,
        verdict: 'fault',
        because:
          'While a copy comes in, any other message must abort it: by an error and ReadyForQuery, or, in an extended query, an error and nothing more up to a Sync (COPY Operations). Instead a second, fatal error follows, and the connection ends.',
      },
      {
        rule: /^server\.\w+ (?:must be refused by ERROR and end the connection|was passed over in silence) in open\./,
        verdict: 'freedom',
        because:
          "It has the letter of a client's message, and a content that does not fit: what becomes of that the documentation does not say.",
      },
      {
        rule: /^code:46(?::\w+)? /,
        verdict: 'freedom',
        because: 'A FunctionCall, which the documentation has and this profile leaves out.',
      },
    ],
  },
];
