import Table from 'cli-table3';
import { expect, test } from 'vitest';
import { messageLogHandlers } from '../../src/handlers/message-log.ts';
import type { Table as ProtocolTable } from '../../src/machine/table.ts';
import type { MessageLog } from '../../src/store/log/message-log.ts';
import { messageLog } from '../../src/transport/message-log.ts';
import type { AnyProtocol, AnySamples } from '../../src/transport/protocol.ts';
import { type Case, casesOf } from '../../src/verify/cases.ts';
import { inputsOf } from '../../src/verify/inputs.ts';
import { type Projection, project } from '../../src/verify/project.ts';
import { acceptedBy, holdCase } from '../support/hold.ts';
import { type Dial, memoryServer } from '../support/line.ts';
import { inWords, type Mutant, mutantsOf } from './mutants.ts';
import { difference } from './support/equivalence.ts';

/** What gives a mutant away: what it answers, what it does, or its own alarm that a handler fails in such an order. */
const COLUMNS = ['answers', 'deeds', 'alarm', 'equivalent', 'survived'] as const;
type Verdict = (typeof COLUMNS)[number];

/** A protocol served by the real connection, session and handlers, over a wire in memory. */
interface Service {
  readonly protocol: AnyProtocol;
  readonly projection: Projection;
  /** A server that behaves by another table. */
  serve(table: ProtocolTable, alarm: () => void): Dial;
  /** Whether the server did, beside what it answered, just what the dialogues of these cases ask for. */
  didRight(cases: readonly Case[]): boolean;
}

async function killAll(service: Service): Promise<string[]> {
  const { protocol, projection } = service;
  const counts: Record<Mutant['kind'], Partial<Record<Verdict, number>>> = {
    redirected: {},
    accepted: {},
    refused: {},
  };
  const equivalent = new Map<string, string[]>();
  const survivors: string[] = [];
  let cases = casesOf(projection);
  for (const mutant of mutantsOf(protocol.table)) {
    const [caught, killer] = await judge(service, mutant, cases);
    // Its neighbour falls to the same case, as likely as not.
    if (killer !== undefined) cases = [killer, ...cases.filter((one) => one !== killer)];
    const verdict = caught ?? (isEquivalent(projection, mutant) ? 'equivalent' : 'survived');
    counts[mutant.kind][verdict] = (counts[mutant.kind][verdict] ?? 0) + 1;
    const { from, to, change } = inWords(mutant, protocol.table);
    if (verdict === 'equivalent') equivalent.set(from, [...(equivalent.get(from) ?? []), to]);
    if (verdict === 'survived') survivors.push(change);
  }
  print(protocol.name, counts, equivalent, protocol.table.states.length);
  return survivors;
}

async function judge(
  service: Service,
  { table }: Mutant,
  cases: readonly Case[],
): Promise<[Verdict | undefined, Case | undefined]> {
  let alarms = 0;
  const dial = service.serve(table, () => {
    alarms++;
  });
  for (const one of cases) {
    if ((await holdCase(service.projection, one, dial)) !== undefined) return ['answers', one];
    if (!service.didRight([one])) return ['deeds', one];
    if (alarms > 0) return ['alarm', one];
  }
  return [undefined, undefined];
}

/** Explores the mutant as a tester can know it: no dialogue, however long, is answered in another way. */
function isEquivalent({ protocol, inputs, mealy }: Projection, { table }: Mutant): boolean {
  try {
    return difference(mealy, project({ ...protocol, table }, inputs).mealy) === undefined;
  } catch {
    return false;
  }
}

function print(
  name: string,
  counts: Record<Mutant['kind'], Partial<Record<Verdict, number>>>,
  equivalent: ReadonlyMap<string, readonly string[]>,
  states: number,
): void {
  const table = new Table({ head: [name, ...COLUMNS], style: { head: [], border: [] } });
  for (const [kind, count] of Object.entries(counts)) {
    table.push([kind, ...COLUMNS.map((verdict) => count[verdict] ?? 0)]);
  }
  const targets = (to: readonly string[]) => (to.length >= states ? 'wherever it leads' : to.join(' or '));
  const lines = [...equivalent].map(([from, to]) => `  ${from} -> ${targets(to)}`);
  console.info(`${table}\nequivalent:\n${lines.join('\n') || '  none'}`);
}

function messageLogService(): Service {
  const samples = (unique: string): AnySamples => {
    const { messages, malformed } = messageLog.samples(unique);
    // A log that is full: what the real one is, too, at times.
    const full = {
      message: { type: 'client.MESSAGE', payload: Buffer.from('full') },
      answer: 'server.REJECT',
    };
    return { messages: { ...messages, 'MESSAGE/full': full }, malformed };
  };
  const projection = project(messageLog, inputsOf(messageLog, samples));
  let kept: string[] = [];
  const log: MessageLog = {
    append: async (author, messages) => {
      const texts = messages.map((message) => Buffer.from(message).toString());
      const taken = texts.includes('full') ? texts.indexOf('full') : texts.length;
      kept.push(...texts.slice(0, taken).map((text) => `${Buffer.from(author.name)}: ${text}`));
      return taken;
    },
    reopen: async () => {},
    close: async () => {},
  };
  return {
    protocol: messageLog,
    projection,
    serve(table, alarm) {
      kept = [];
      // Without runs: theirs is made from the table that is not mutated.
      const mutated = { ...messageLog, table, runs: new Uint8Array(messageLog.runs.length) };
      return memoryServer(mutated, messageLogHandlers({ log }), { failed: alarm });
    },
    didRight(cases) {
      const due = acceptedBy(projection, cases, 'MESSAGE').map(() => 'ann: hello');
      const right = kept.join() === due.join();
      kept = [];
      return right;
    },
  };
}

test('every single-fault mutant of message-log is caught by the generated cases', async () => {
  const service = messageLogService();
  const alarms: string[] = [];
  const dial = service.serve(messageLog.table, () => alarms.push('a handler failed'));
  for (const one of casesOf(service.projection)) {
    expect(await holdCase(service.projection, one, dial)).toBeUndefined();
    expect(service.didRight([one]), one.id).toBe(true);
  }
  expect(alarms).toEqual([]);
  expect(await killAll(service)).toEqual([]);
});
