import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listen } from 'wirechart';
import { withSamples } from 'wirechart/verify';
import { type FieldServer, type FieldVerdict, startProgram, versionIn } from '../field-report/server.ts';
import { usersOf } from './credentials.ts';
import { postOffice } from './post-office.ts';
import { smtp } from './protocol.ts';

const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` };
/** Mail servers write into folders of the system's: they are given others in their place, which only root can. */
const isRoot = process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'true']).status === 0;
/** Where a Debian package is unpacked that cannot be installed beside another. */
const UNPACKED = fileURLToPath(new URL('../../.cache/debian/', import.meta.url));
const EXIM = join(UNPACKED, 'usr/sbin/exim4');

/** Their answers to a name must not hang on the network. */
const NO_NAMES = 'nameserver 127.0.0.1\nlookup file\n';

/** Starts a program that sees some files of `files` in the place of the system's own. */
async function startApart(
  port: number,
  files: Readonly<Record<string, string>>,
  script: (folder: string) => readonly string[],
) {
  const folder = mkdtempSync(join(tmpdir(), 'wirechart-smtp-'));
  chmodSync(folder, 0o755);
  for (const [name, text] of Object.entries({ ...files, 'resolv.conf': NO_NAMES }))
    writeFileSync(join(folder, name), text);
  const lines = [`mount --bind ${folder}/resolv.conf /etc/resolv.conf`, ...script(folder)];
  const stop = await startProgram(port, 'unshare', ['--mount', 'sh', '-ec', lines.join('\n')], env);
  return () => stop().finally(() => rmSync(folder, { recursive: true }));
}

function eximVersion(): string | undefined {
  if (!isRoot) return undefined;
  if (!existsSync(EXIM)) {
    mkdirSync(UNPACKED, { recursive: true });
    spawnSync('apt-get', ['download', 'exim4-daemon-light', 'libidn12'], { cwd: UNPACKED });
    for (const file of readdirSync(UNPACKED).filter((name) => name.endsWith('.deb')))
      spawnSync('dpkg', ['-x', file, '.'], { cwd: UNPACKED });
  }
  return readdirSync(UNPACKED).flatMap((name) => /^exim4-daemon-light_([^-]+)/.exec(name)?.[1] ?? [])[0];
}

const exim = (port: number) => `
primary_hostname = localhost
daemon_smtp_ports = ${port}
local_interfaces = 127.0.0.1
disable_ipv6 = true
domainlist local_domains = localhost
qualify_domain = localhost
host_lookup =
tls_advertise_hosts =
auth_advertise_hosts = *
smtp_accept_max = 0
smtp_connect_backlog = 128
smtp_max_synprot_errors = 1000
smtp_max_unknown_commands = 1000
acl_smtp_mail = accept
acl_smtp_rcpt = accept
acl_smtp_data = accept
acl_smtp_vrfy = accept
queue_only = true
begin routers
all:
  driver = redirect
  data = :blackhole:
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if and {{eq{$auth2}{ann}}{eq{$auth3}{sesame}}}}
`;

const opensmtpd = (port: number) => `
table everybody { "@" = "nobody" }
listen on 127.0.0.1 port ${port} hostname localhost
action "drop" mda "cat >/dev/null" virtual <everybody>
match from any for local action "drop"
`;

const longLines: FieldVerdict = {
  rule: /:too-long /,
  verdict: 'freedom',
  because:
    'How long a line may be is a limit of what all must take: who can should take more, and how more is answered is left open (RFC 5321, 4.5.3.1 and 4.5.3.1.9).',
};

/** The mail servers of the field report. */
export const smtpServers: readonly FieldServer[] = [
  {
    name: 'the example of SMTP',
    protocol: smtp,
    version: () => versionIn(new URL('package.json', import.meta.url)),
    verdicts: [],
    async start(port) {
      const handlers = postOffice({
        hostname: 'localhost',
        guests: true,
        isUser: usersOf(['ann:sesame']),
        async deliver(_, content) {
          for await (const _piece of content);
        },
      });
      const server = await listen(smtp, handlers, { host: '127.0.0.1', port });
      return () => server.close();
    },
  },
  {
    name: 'smtp-server',
    protocol: smtp,
    version: () => versionIn(new URL('../../node_modules/smtp-server/package.json', import.meta.url)),
    start: (port) =>
      startProgram(port, process.execPath, [
        fileURLToPath(new URL('smtp-server.mjs', import.meta.url)),
        String(port),
      ]),
    evidence: 'smtp/evidence/smtp-server.py',
    verdicts: [
      longLines,
      {
        rule: /^AUTH\S* was (?:accepted|answered by CHALLENGE) in guest\.(?:sender|recipients)/,
        verdict: 'fault',
        because:
          'AUTH is not permitted during a mail transaction, and must be rejected there with 503 (RFC 4954, 4).',
      },
    ],
  },
  {
    name: 'opensmtpd',
    protocol: smtp,
    version: () =>
      isRoot
        ? /version: OpenSMTPD (\S+)/.exec(
            spawnSync('smtpd', ['-h'], { encoding: 'utf8', env }).stderr ?? '',
          )?.[1]
        : undefined,
    start: (port) =>
      startApart(port, { 'smtpd.conf': opensmtpd(port) }, (folder) => [
        'mount -t tmpfs none /var/spool',
        'mount -t tmpfs none /run',
        `exec smtpd -d -f ${folder}/smtpd.conf 2>/dev/null`,
      ]),
    options: {
      // Without TLS it has no AUTH. Its queue of connections holds five.
      samples: withSamples(smtp, { AUTH: { answer: 'server.NO' }, 'AUTH/later': { answer: 'server.NO' } }),
      concurrency: 4,
    },
    verdicts: [longLines],
  },
  {
    name: 'exim4',
    protocol: smtp,
    version: eximVersion,
    // It is made for a user that comes with its package.
    start: (port) =>
      startApart(
        port,
        {
          passwd: `${readFileSync('/etc/passwd', 'utf8')}Debian-exim:x:64999:64999::/:/bin/false\n`,
          group: `${readFileSync('/etc/group', 'utf8')}Debian-exim:x:64999:\n`,
          conf: exim(port),
        },
        (folder) => [
          ...['passwd', 'group'].map((name) => `mount --bind ${folder}/${name} /etc/${name}`),
          `mkdir ${folder}/spool && chown Debian-exim ${folder}/spool`,
          `printf 'spool_directory = ${folder}/spool\\nlog_file_path = ${folder}/spool/%%slog\\n' >${folder}/exim`,
          `cat ${folder}/conf >>${folder}/exim`,
          `export LD_LIBRARY_PATH=$(echo ${UNPACKED}usr/lib/*-linux-gnu)`,
          `exec ${EXIM} -bdf -C ${folder}/exim -oP ${folder}/spool/pid 2>/dev/null`,
        ],
      ),
    evidence: 'smtp/evidence/exim4.py',
    verdicts: [
      longLines,
      {
        rule: /^AUTH(?::later)? may come in guest\.ready\.awaiting and must be answered by (?:AUTHENTICATED|CHALLENGE); it was answered by NO/,
        verdict: 'freedom',
        because: 'Behind HELO it offers no extensions, and AUTH is one (RFC 4954, 3).',
      },
      {
        rule: /in guest\.ready\.challenged/,
        verdict: 'unclear',
        because:
          'The end of the stream counts as the end of the line that answers AUTH; a line ends with CR LF and nothing else (RFC 5321, 2.3.8), but nothing says what is to be made of one that never ends.',
      },
    ],
  },
];
