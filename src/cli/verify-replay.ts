import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { AnyProtocol } from '../transport/protocol.ts';
import { type Recorded, type Replay, type ReplayOptions, replay } from '../verify/replay.ts';
import { EXIT, Failure } from './failure.ts';
import { readRecord } from './records.ts';

/**
 * `wirechart verify --replay`: holds recorded dialogues once more, one after the other, and says where each went another way.
 *
 * @returns the status to exit with.
 */
export async function replayAll(
  protocol: AnyProtocol,
  path: string,
  options: ReplayOptions,
): Promise<number> {
  const records = filesOf(path).map((file) => ({ file, dialogue: dialogueOf(protocol, file) }));
  let deviating = 0;
  let sent = 0;
  for (const { file, dialogue } of records) {
    if (options.signal?.aborted) break;
    const replayed = await replay(protocol, dialogue, options).catch((error: unknown) => {
      if (options.signal?.aborted) return undefined;
      throw new Failure(
        `cannot hold ${file} once more: ${error instanceof Error ? error.message : String(error)}`,
        EXIT.usage,
      );
    });
    if (replayed === undefined) break;
    sent += replayed.sent;
    if (replayed.deviation !== undefined) deviating++;
    process.stdout.write(textOf(basename(file), replayed));
  }
  if (options.signal?.aborted) return 130;
  const all = `${records.length} ${records.length === 1 ? 'dialogue' : 'dialogues'}`;
  process.stdout.write(`\n${all} held once more, ${deviating} went another way\n`);
  // Where nothing could be said nothing is known of the server.
  if (deviating === 0 && sent === 0) return EXIT.usage;
  return deviating === 0 ? EXIT.ok : EXIT.failed;
}

function textOf(name: string, { sent, heard, deviation, notes }: Replay): string {
  const outcome = deviation === undefined ? 'as recorded' : `another way ${deviation}`;
  const lines = [`${name}: ${sent} sent, ${heard} heard, ${outcome}`, ...notes.map((note) => `  ${note}`)];
  return `${lines.join('\n')}\n`;
}

/** @throws Failure where there is none. */
function filesOf(path: string): readonly string[] {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [path];
  const files = readdirSync(path).filter((file) => file.endsWith('.jsonl'));
  if (files.length === 0)
    throw new Failure(`${path} holds no dialogue that guard --record wrote down`, EXIT.usage);
  return files.sort().map((file) => join(path, file));
}

/** @throws Failure for a file that is none, or one of another protocol. */
function dialogueOf(protocol: AnyProtocol, file: string): readonly Recorded[] {
  const [begin, ...lines] = readRecord(file);
  if (begin === undefined || !('protocol' in begin))
    throw new Failure(`cannot read ${file}: it is no dialogue that guard --record wrote down`, EXIT.usage);
  if (begin.protocol !== protocol.name)
    throw new Failure(`${file} is a dialogue of ${begin.protocol}, not of ${protocol.name}`, EXIT.usage);
  return lines.flatMap((line): Recorded[] => {
    if ('protocol' in line) return [];
    if ('note' in line) return [{ note: line.note }];
    const { message, count, state, bytes } = line;
    return [{ message, count, state, bytes: bytes === undefined ? undefined : Buffer.from(bytes, 'hex') }];
  });
}
