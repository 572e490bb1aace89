import { existsSync } from 'node:fs';
import { differences, restricted, sentenceOf } from '../learn/difference.ts';
import { declaredMealy, readLearned } from '../learn/file.ts';
import type { AnyProtocol } from '../transport/protocol.ts';
import type { Mealy } from '../verify/mealy.ts';
import { defineCommand } from './command.ts';
import { EXIT, Failure } from './failure.ts';
import { readText } from './files.ts';
import { value } from './flag.ts';
import { cannotLearn, learnAt, learningFlags } from './learn.ts';
import { loadUnordered, MODULE } from './modules.ts';
import { serverAddress } from './reaching.ts';

const SIDE = '[HOST:]PORT, unix:PATH, a file of `learn --format json`, or `declared`';

/** `wirechart diff` */
export default defineCommand({
  help: 'what two servers do differently, or one server yesterday and today',
  operands: {
    module: value('<module>', MODULE, { required: true }),
    one: value('<one>', SIDE, { required: true }),
    other: value('<other>', SIDE, { required: true }),
  },
  flags: learningFlags,
  more: `Each line is a difference that is no consequence of another, with a shortest dialogue that shows it, the worst first.

Exit status: 0 equivalent, 1 different, 2 it could not be told; 130 stopped.

  wirechart diff message-log declared 5555
  wirechart diff ./smtp.js mail-1:25 mail-2:25`,
  async run({ module, one, other }, options) {
    const { protocol } = await loadUnordered(module);
    const first = await machineBehind(protocol, one, options);
    const second = await machineBehind(protocol, other, options, first?.inputs);
    const left = first ?? (await machineBehind(protocol, one, options, second?.inputs));
    if (left === undefined || second === undefined)
      throw new Failure(`the machine of ${protocol.name} does not allow what its samples answer`, EXIT.usage);
    const common = left.inputs.filter((input) => second.inputs.includes(input));
    if (common.length === 0)
      throw new Failure(`${one} and ${other} were learned with other inputs: learn them anew`, EXIT.usage);
    const only = [...left.inputs, ...second.inputs].filter((input) => !common.includes(input));
    if (only.length > 0) process.stderr.write(`not compared, for one of them lacks it: ${only.join(', ')}\n`);
    const found = differences(restricted(left, common), restricted(second, common));
    for (const difference of found) process.stdout.write(`${sentenceOf(difference, [one, other])}\n`);
    if (found.length === 0) {
      process.stdout.write(
        `equivalent, or one has a state more than ${options.k ?? 1} inputs away from every known one\n`,
      );
    }
    process.exitCode = found.length > 0 ? EXIT.failed : EXIT.ok;
  },
});

/** Undefined for `declared`, while the inputs are not known to compare with. */
async function machineBehind(
  protocol: AnyProtocol,
  side: string,
  options: Parameters<typeof learnAt>[2],
  inputs?: readonly string[],
): Promise<Mealy | undefined> {
  if (side === 'declared') return inputs && declaredMealy(protocol, inputs);
  if (existsSync(side)) {
    try {
      return readLearned(readText(side)).mealy;
    } catch (error) {
      if (error instanceof TypeError || error instanceof SyntaxError)
        throw new Failure(`cannot use ${side}: ${error.message}`, EXIT.usage);
      throw error;
    }
  }
  const learned = await learnAt(protocol, serverAddress(side), options);
  if (learned.failure !== undefined) throw cannotLearn(side, learned.failure);
  if (!learned.confirmed) throw new Failure('stopped: nothing can be said of the difference', 130);
  return learned.mealy;
}
