/**
 * `npm run field-report:differences [PROTOCOL...]`: learns servers of one protocol, shows each difference between two of
 * them on raw sockets, and writes docs/field-differences.md. Ends with 1 where one is not judged, or does not show.
 */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Difference, differences, type Learned, learn, restricted, wired } from 'wirechart/learn';
import { mqttServers } from '../mqtt/servers.ts';
import { redisServers } from '../redis/servers.ts';
import { smtpServers } from '../smtp/servers.ts';
import { judgements } from './judgements.ts';
import { type FieldServer, freePort } from './server.ts';

const isStranger = ({ name }: FieldServer) => !name.startsWith('the example');
/** Servers of one protocol, and what they are learned with, so that it is done in minutes. */
interface Group {
  readonly servers: readonly FieldServer[];
  readonly k: number;
  /** Milliseconds until nothing is silence. Default: 2,000. Most of these answer nearly everything, and some of them slowly. */
  readonly patience?: number;
  /** Milliseconds that end an answer. Default: 40. */
  readonly quiet?: number;
  /** Default: all that there are. */
  readonly inputs?: readonly string[];
}

const groups: Readonly<Record<string, Group>> = {
  // What is retained comes to aedes' subscribers well behind its SUBACK.
  mqtt: { servers: mqttServers.filter(isStranger), k: 1, quiet: 100 },
  // One dialogue at a time, since what one publishes another may hear; and every answer comes in one piece. Where SUBSCRIBE may
  // wait for an EXEC, redis-server is in another state than who reads it believes, and the machine is of both.
  redis: {
    servers: redisServers,
    k: 1,
    quiet: 15,
    inputs: ['AUTH', 'PING', 'GET:too-few', 'MULTI', 'DISCARD', 'SUBSCRIBE', 'QUIT', 'OTHER', 'no-bulk'],
  },
  'redis-transactions': {
    servers: redisServers,
    k: 1,
    quiet: 15,
    inputs: ['AUTH', 'PING', 'GET:too-few', 'MULTI', 'EXEC', 'DISCARD', 'WATCH', 'QUIT', 'OTHER', 'no-bulk'],
  },
  smtp: {
    servers: smtpServers.filter(isStranger),
    k: 1,
    // Behind DATA all is silence.
    patience: 1_000,
    // No CONTENT and no RESPONSE: where none is due they are unknown commands, which smtp-server counts, and ends at ten.
    inputs: [
      ...['EHLO', 'EHLO:nobody', 'HELO', 'AUTH:later', 'MAIL', 'MAIL:no-path', 'RCPT', 'RCPT:nobody'],
      ...['DATA', 'RSET', 'NOOP:words', 'VRFY', 'STARTTLS', 'QUIT'],
    ],
  },
};

interface Running {
  readonly server: FieldServer;
  readonly title: string;
  readonly port: number;
  readonly learned: Learned;
  readonly seconds: number;
  bytesOf(input: string): Uint8Array;
}

const script = fileURLToPath(new URL('raw_words.py', import.meta.url));
const page = fileURLToPath(new URL('../../docs/field-differences.md', import.meta.url));
const asked = process.argv.slice(2);
const made = new Map<string, string>();
let open = 0;

for (const [protocol, group] of Object.entries(groups)) {
  if (asked.length > 0 && !asked.includes(protocol)) continue;
  const lines = [`## ${protocol}\n`];
  const stops: (() => Promise<void>)[] = [];
  const running: Running[] = [];
  try {
    for (const server of group.servers) {
      const version = server.version();
      if (version === undefined) {
        lines.push(`- ${server.name} is not installed here.`);
        continue;
      }
      const port = await freePort();
      stops.push(await server.start(port));
      running.push(await learnt(server, `${server.name} ${version}`, port, group));
    }
    for (const { title, learned, seconds } of running) {
      const { mealy, leftOut, outvoted } = learned;
      const states = mealy.states.filter((_, state) => !mealy.closed?.[state]).length;
      lines.push(
        `- **${title}**: ${states} states, ${mealy.inputs.length} inputs, k = ${group.k}, ${seconds.toFixed(1)} s.`,
      );
      for (const { word, answers } of leftOut)
        lines.push(
          `  Left out, since it has no steady answer: \`${word.join('/')}\` (${answers.join(', ')}).`,
        );
      if (outvoted.length > 0) lines.push(`  ${outvoted.length} answers were flaky, and outvoted.`);
      lines.push('', ...picture(mealy), '');
    }
    for (const [place, one] of running.entries())
      for (const other of running.slice(place + 1)) lines.push('', ...(await compared(one, other)));
  } finally {
    for (const stop of stops) await stop();
  }
  made.set(protocol, lines.join('\n'));
}

async function learnt(
  server: FieldServer,
  title: string,
  port: number,
  { k, inputs, patience = 2_000, quiet }: Group,
): Promise<Running> {
  const wire = wired(server.protocol, {
    address: { host: '127.0.0.1', port },
    samples: server.options?.samples,
    concurrency: server.options?.concurrency,
    patience,
    quiet,
  });
  const started = performance.now();
  const learned = await learn(wire, inputs ?? wire.alphabet, {
    k,
    votes: 2,
    trusting: false,
  });
  if (learned.failure !== undefined) throw learned.failure;
  const seconds = (performance.now() - started) / 1000;
  console.log(`${title}: ${learned.mealy.states.length} states, ${seconds.toFixed(1)} s`);
  return { server, title, port, learned, seconds, bytesOf: wire.bytesOf };
}

/** What leads from one state to another, and how it is answered. */
function picture(mealy: Learned['mealy']): string[] {
  const labels = new Map<string, string[]>();
  const nameOf = (state: number) => (mealy.closed?.[state] ? '[*]' : `s${state}`);
  for (const [from] of mealy.states.entries()) {
    if (mealy.closed?.[from]) continue;
    for (const [input, name] of mealy.inputs.entries()) {
      const cell = from * mealy.inputs.length + input;
      const to = mealy.next[cell] ?? from;
      if (to === from) continue;
      const edge = `${nameOf(from)} --> ${nameOf(to)}`;
      const answer = mealy.outputs[mealy.output[cell] ?? -1] ?? '';
      labels.set(edge, [...(labels.get(edge) ?? []), `${name} / ${answer}`.replaceAll(':', ' ')]);
    }
  }
  const edges = [...labels].map(([edge, texts]) => `  ${edge} : ${texts.join('<br/>')}`);
  return ['```mermaid', 'stateDiagram-v2', `  [*] --> s${mealy.initial}`, ...edges, '```'];
}

async function compared(one: Running, other: Running): Promise<string[]> {
  const [left, right] = [one.learned.mealy, other.learned.mealy];
  const common = left.inputs.filter((input) => right.inputs.includes(input));
  const found = differences(restricted(left, common), restricted(right, common));
  const head = `| behind | input | ${one.title} | ${other.title} | raw sockets | judged |`;
  const rows: string[] = [];
  for (const difference of found) rows.push(await rowOf(difference, one, other));
  return rows.length === 0
    ? [`No differences between ${one.title} and ${other.title}.`]
    : [head, '| --- | --- | --- | --- | --- | --- |', ...rows];
}

async function rowOf(
  { reached, proof, shown, input }: Difference,
  one: Running,
  other: Running,
): Promise<string> {
  const bytes = proof.map((name) => Buffer.from(one.bytesOf(name)).toString('hex'));
  const heard = async ({ port }: Running) => {
    // An example serves in this process: it must not stand still meanwhile.
    const { stdout } = await promisify(execFile)('python3', [script, '127.0.0.1', String(port), ...bytes]);
    const answers: readonly { readonly hex: string; readonly closes: boolean }[] = JSON.parse(stdout);
    const last = answers.at(proof.length - 1);
    return last === undefined ? 'closed before' : `${textIn(last.hex)}${last.closes ? ' closes' : ''}`;
  };
  const raw = await Promise.all([heard(one), heard(other)]);
  const isShown = raw[0] !== raw[1];
  const what = `${one.server.name} ${other.server.name} ${proof.join('/')}: ${shown.join(' ~ ')}`;
  const judged = judgements.find(({ difference }) => difference.test(what));
  if (judged === undefined || !isShown) open++;
  if (judged === undefined) console.log(`not judged: ${what} [${raw.join(' ~ ')}]`);
  const cells = [
    reached.length === 0 ? 'connecting' : `\`${reached.join('/')}\``,
    proof.at(-1) === input
      ? `\`${input}\``
      : `\`${input}\`, shown by \`${proof.slice(reached.length + 1).join('/')}\``,
    ...shown,
    isShown ? `${raw[0]} ~ ${raw[1]}` : '**not shown**',
    judged === undefined ? '**not judged**' : `${judged.verdict}: ${judged.because}`,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

/** The beginning of what came: text as text, other bytes in hex. */
function textIn(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  const isText = bytes.every((byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x0d || byte === 0x0a);
  const [line = ''] = bytes.toString('latin1').split('\r\n');
  if (bytes.length === 0) return 'nothing';
  return isText ? `\`${line.slice(0, 40)}\`` : `\`0x${hex.slice(0, 32)}\``;
}

const [preface = '', ...chapters] = readFileSync(page, 'utf8').split(/^(?=## )/m);
const kept = new Map(chapters.map((part) => [/^## (\S+)/.exec(part)?.[1] ?? '', part.trimEnd()] as const));
writeFileSync(page, `${preface.trimEnd()}\n\n${[...new Map([...kept, ...made]).values()].join('\n\n')}\n`);
process.exitCode = open > 0 ? 1 : 0;
