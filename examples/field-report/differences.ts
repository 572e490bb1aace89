/**
 * `npm run field-report:differences [PROTOCOL...]`: learns servers of one protocol, shows each difference between two of
 * them on raw sockets, and writes docs/field-differences.md. Ends with 1 where one is not judged, or does not show.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Difference, differences, type Learned, learn, restricted, wired } from 'wirechart/learn';
import { mqttServers } from '../mqtt/servers.ts';
import { redisServers } from '../redis/servers.ts';
import { smtpServers } from '../smtp/servers.ts';
import { judgements } from './judgements.ts';
import { type FieldServer, freePort } from './server.ts';

const isStranger = ({ name }: FieldServer) => !name.startsWith('the example');
const groups: Readonly<Record<string, readonly FieldServer[]>> = {
  mqtt: mqttServers.filter(isStranger),
  redis: redisServers,
  smtp: smtpServers.filter(isStranger),
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

for (const [protocol, servers] of Object.entries(groups)) {
  if (asked.length > 0 && !asked.includes(protocol)) continue;
  const lines = [`## ${protocol}\n`];
  const stops: (() => Promise<void>)[] = [];
  const running: Running[] = [];
  try {
    for (const server of servers) {
      const version = server.version();
      if (version === undefined) {
        lines.push(`- ${server.name} is not installed here.`);
        continue;
      }
      const port = await freePort();
      stops.push(await server.start(port));
      running.push(await learnt(server, `${server.name} ${version}`, port));
    }
    for (const { title, learned, seconds } of running) {
      const { mealy, leftOut, outvoted } = learned;
      const states = mealy.states.filter((_, state) => !mealy.closed?.[state]).length;
      lines.push(`- **${title}**: ${states} states, ${mealy.inputs.length} inputs, ${seconds.toFixed(1)} s.`);
      for (const { word, answers } of leftOut)
        lines.push(
          `  Left out, since it has no steady answer: \`${word.join('/')}\` (${answers.join(', ')}).`,
        );
      if (outvoted.length > 0) lines.push(`  ${outvoted.length} answers were flaky, and outvoted.`);
    }
    for (const [place, one] of running.entries())
      for (const other of running.slice(place + 1)) lines.push('', ...compared(one, other));
  } finally {
    for (const stop of stops) await stop();
  }
  made.set(protocol, lines.join('\n'));
}

async function learnt(server: FieldServer, title: string, port: number): Promise<Running> {
  const wire = wired(server.protocol, {
    address: { host: '127.0.0.1', port },
    samples: server.options?.samples,
    concurrency: server.options?.concurrency,
    // Each of these answers nearly everything; and some of them slowly.
    patience: 2_000,
  });
  const started = performance.now();
  const learned = await learn(wire, wire.alphabet, { k: 1, votes: 2, trusting: false });
  if (learned.failure !== undefined) throw learned.failure;
  const seconds = (performance.now() - started) / 1000;
  console.log(`${title}: ${learned.mealy.states.length} states, ${seconds.toFixed(1)} s`);
  return { server, title, port, learned, seconds, bytesOf: wire.bytesOf };
}

function compared(one: Running, other: Running): string[] {
  const [left, right] = [one.learned.mealy, other.learned.mealy];
  const common = left.inputs.filter((input) => right.inputs.includes(input));
  const found = differences(restricted(left, common), restricted(right, common));
  const head = `| behind | input | ${one.title} | ${other.title} | raw sockets | judged |`;
  return [
    head,
    '| --- | --- | --- | --- | --- | --- |',
    ...found.map((difference) => rowOf(difference, one, other)),
  ];
}

function rowOf({ reached, proof, shown, input }: Difference, one: Running, other: Running): string {
  const bytes = proof.map((name) => Buffer.from(one.bytesOf(name)).toString('hex'));
  const raw = [one, other].map(({ port }) => {
    const { stdout } = spawnSync('python3', [script, '127.0.0.1', String(port), ...bytes], {
      encoding: 'utf8',
    });
    const answers: readonly { readonly hex: string; readonly closes: boolean }[] = JSON.parse(stdout);
    const last = answers.at(proof.length - 1);
    return last === undefined ? 'closed before' : `${textIn(last.hex)}${last.closes ? ' closes' : ''}`;
  });
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
