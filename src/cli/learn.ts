import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { mermaidOf } from '../diagram/mermaid.ts';
import { tableOf } from '../diagram/table.ts';
import { differences, sentenceOf } from '../learn/difference.ts';
import { dotOf } from '../learn/dot.ts';
import { declaredMealy, fileOf, readLearned, refusalsOf } from '../learn/file.ts';
import { type Learned, type LearnProgress, learn as learnSystem } from '../learn/learn.ts';
import { moduleOf, type Order, orderOf, withNamesOf } from '../learn/machine.ts';
import { wired } from '../learn/wire.ts';
import { exploreMachine } from '../machine/table.ts';
import type { AnyProtocol } from '../transport/protocol.ts';
import { messageInputsOf } from '../verify/inputs.ts';
import type { Mealy } from '../verify/mealy.ts';
import { quoted } from '../verify/report/words.ts';
import { type Address, depth, formatAddress, patience } from './arguments.ts';
import { defineCommand } from './command.ts';
import { EXIT, Failure } from './failure.ts';
import { readText, writeText } from './files.ts';
import { choice, value } from './flag.ts';
import { importOf, loadUnordered, reachingOperands } from './modules.ts';
import { reachingFlags, tlsOf } from './reaching.ts';

type Format = 'xstate' | 'dot' | 'mermaid' | 'svg' | 'json' | 'table';

/** Flags of every command that learns. */
export const learningFlags = {
  k: value('<steps>', 'hidden steps to search for more states (default: 1)', { read: depth }),
  timeout: value('<seconds>', 'what has not come by then is silence (default: 0.3)', { read: patience }),
  ...reachingFlags,
};

/** `wirechart learn` */
export default defineCommand({
  help: 'learn the machine that a server has, from its answers alone',
  operands: reachingOperands,
  flags: {
    ...learningFlags,
    format: choice<Format>(
      '<format>',
      'how it is written',
      ['xstate', 'dot', 'mermaid', 'svg', 'json', 'table'],
      'table',
    ),
    output: value('<file>', 'write to this file (default: stdout)', { short: 'o' }),
    resume: value(
      '<file>',
      'take what was answered before from this file, if it is there, and keep it there',
    ),
  },
  more: `What differs from the module's own machine is told at standard error. Ctrl-C ends it with what is known by then.

Exit status: 0 learned and confirmed, 1 it differs from the module's machine, 2 it could not be learned; 130 stopped.

  wirechart learn ./my-frames.js old-server:7000 --format svg -o old.svg
  wirechart learn message-log 5555 --format json -o today.json && wirechart diff message-log yesterday.json today.json`,
  async run({ module, address }, { format, output, resume, ...options }) {
    const { protocol } = await loadUnordered(module);
    // Better missed now than when all is learned.
    if (format === 'svg') await import('elkjs');
    const before = resume !== undefined && existsSync(resume) ? readLearned(readText(resume)) : undefined;
    const learned = await learnAt(protocol, address, { ...options, answers: before?.answers });
    const k = options.k ?? 1;
    const declared = declaredMealy(protocol, learned.mealy.inputs);
    const mealy = declared === undefined ? learned.mealy : withNamesOf(learned.mealy, declared);
    const greeting = learned.greeting ?? before?.greeting ?? 'silence';
    const file = JSON.stringify(fileOf(protocol.name, k, greeting, { ...learned, mealy }), null, 1);
    if (resume !== undefined) writeText(resume, `${file}\n`);
    const types = new Map(messageInputsOf(protocol, protocol.samples).map(({ id, type }) => [id, type]));
    const orderIn = (one: Mealy) =>
      orderOf(one, {
        id: protocol.name,
        message: (input) => types.get(input),
        refusals: refusalsOf(protocol, one.inputs),
        greeting,
      });
    const order = orderIn(mealy);
    let text = file;
    if (format === 'dot') text = dotOf(mealy);
    else if (format === 'xstate') {
      const declared = await importOf(
        module,
        output === undefined ? process.cwd() : dirname(resolve(output)),
      );
      text = moduleOf(order, declared, Object.keys(protocol.samples('a').messages));
    } else if (format !== 'json') text = await drawn(order, declared && orderIn(declared), format);
    if (output === undefined) process.stdout.write(`${text.trimEnd()}\n`);
    else writeText(output, `${text.trimEnd()}\n`);

    const at = formatAddress(address.host ?? '127.0.0.1', address.port);
    const replay = `wirechart verify ${quoted(module)} ${quoted(at)}${options.tls ? ' --tls' : ''} --case`;
    const found = declared === undefined || !learned.confirmed ? [] : differences(mealy, declared);
    const lines = [
      learned.confirmed
        ? `${openIn(mealy)} states: the server is equivalent to this machine, or it has a state more than ${k} inputs away from every known one.`
        : `${openIn(mealy)} states so far: it was stopped, and nothing is promised.`,
      ...learned.leftOut.map(
        ({ word, answers }) =>
          `${word.at(-1)} has no steady answer and is left out: ${word.join('/')} was answered by ${answers.join(', ')}`,
      ),
      ...learned.outvoted.map(
        ({ word, answers: [first, then] }) =>
          `${word.join('/')} was answered by ${first} at first, and by ${then} more often: it is flaky`,
      ),
      ...(format === 'xstate' ? order.lost.map((line) => `not in the machine: ${line}`) : []),
      ...found.map(
        (one) =>
          `${sentenceOf(one, ['this server', 'declared'])}\n  replay: ${replay} ${one.proof.join('/')}`,
      ),
    ];
    process.stderr.write(`${lines.join('\n')}\n`);
    if (learned.failure !== undefined) throw cannotLearn(at, learned.failure);
    process.exitCode = !learned.confirmed ? 130 : found.length > 0 ? EXIT.failed : EXIT.ok;
  },
});

function openIn({ states, closed }: Mealy): number {
  return states.length - (closed?.filter(Boolean).length ?? 0);
}

export function cannotLearn(at: string, reason: unknown): Failure {
  const said = reason instanceof Error ? reason.message : reason;
  return new Failure(`cannot learn what is at ${at}: ${said}`, EXIT.usage);
}

/** Learns the server at an address, with progress at a terminal, until it is confirmed or Ctrl-C comes. */
export async function learnAt(
  protocol: AnyProtocol,
  { host, port }: Address,
  options: { readonly k?: number | undefined; readonly timeout?: number | undefined } & Parameters<
    typeof tlsOf
  >[0] & { readonly answers?: Learned['answers'] | undefined },
): Promise<Learned & { readonly greeting: string | undefined }> {
  const stop = new AbortController();
  const onSignal = () => (stop.signal.aborted ? process.exit(130) : stop.abort());
  process.on('SIGINT', onSignal);
  const tls = tlsOf(options);
  const system = wired(protocol, {
    address: { host: host ?? '127.0.0.1', port, tls },
    patience: options.timeout,
    signal: stop.signal,
  });
  try {
    const learned = await learnSystem(system, system.alphabet, {
      k: options.k ?? 1,
      // Over a wire a wrong belief costs more than a question: each makes a suite that is held in vain.
      trusting: false,
      votes: 2,
      reference: declaredMealy(protocol, system.alphabet),
      answers: options.answers,
      signal: stop.signal,
      onProgress: progressOf(performance.now()),
    });
    return { ...learned, greeting: system.greeting };
  } catch (error) {
    throw cannotLearn(formatAddress(host ?? '127.0.0.1', port), error);
  } finally {
    process.off('SIGINT', onSignal);
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }
}

async function drawn(
  { machine }: Order,
  declared: Order | undefined,
  format: Exclude<Format, 'json' | 'dot' | 'xstate'>,
): Promise<string> {
  if (format === 'mermaid') return mermaidOf(machine);
  if (format === 'table') return tableOf(exploreMachine(machine), 'text');
  const { pictureOf } = await import('../learn/picture.ts');
  return pictureOf(machine, declared?.machine);
}

/** Says at a terminal how far it is. How long it takes is known while a suite is held, if nothing new is found in it. */
function progressOf(started: number): (progress: LearnProgress) => void {
  let suite = { of: '', since: started };
  return ({ states, tests }) => {
    if (!process.stderr.isTTY) return;
    const now = performance.now();
    const took = `${((now - started) / 1000).toFixed(0)} s`;
    if (tests === undefined) {
      process.stderr.write(`\r\x1b[K${states} states | learning | ${took}`);
      return;
    }
    const { k, held, size } = tests;
    const of = `${k} ${size}`;
    if (suite.of !== of) suite = { of, since: now };
    const left = (((now - suite.since) / held) * (size - held)) / 1000;
    process.stderr.write(
      `\r\x1b[K${states} states | confirming k=${k}: ${held}/${size} | ${took}, ${left.toFixed(0)} more if nothing new is found`,
    );
  };
}
