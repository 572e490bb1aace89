import Table from 'cli-table3';
import { expect, test } from 'vitest';
import type { Table as ProtocolTable } from '../../src/machine/table.ts';
import { accountChatHandlers } from '../../src/protocols/account-chat/handlers.ts';
import { accountChat } from '../../src/protocols/account-chat/protocol.ts';
import { basicChatHandlers, type RoomLog } from '../../src/protocols/basic-chat/handlers.ts';
import { basicChat } from '../../src/protocols/basic-chat/protocol.ts';
import { messageLogHandlers } from '../../src/protocols/message-log/handlers.ts';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import type { SessionObserver } from '../../src/transport/observer.ts';
import type { AnyProtocol } from '../../src/transport/protocol.ts';
import type { AnySamples } from '../../src/transport/samples.ts';
import { inputsOf } from '../../src/verify/inputs.ts';
import { type Projection, project } from '../../src/verify/project.ts';
import { hsiSuite, type Test } from '../../src/verify/suite.ts';
import { acceptedBy, hold, takenIn } from '../support/hold.ts';
import { type Dial, memoryServer } from '../support/line.ts';
import { MemoryAccounts, plainPasswords } from '../support/memory-accounts.ts';
import { memoryLog } from '../support/memory-log.ts';
import { inWords, isEquivalent, type Mutant, mutantsOf, withTable } from './mutants.ts';
import { difference } from './support/equivalence.ts';

/**
 * What gives a mutant away: what it answers; what it does (the log, the messages that reach its handlers); or its own
 * alarm, that a handler fails in such an order. A refusal must come from the gate, not from a handler's own caution.
 */
const COLUMNS = ['answers', 'deeds', 'alarm', 'equivalent', 'unseen', 'survived'] as const;
type Verdict = (typeof COLUMNS)[number];

/** A protocol served by the real connection, session and handlers, over a wire in memory. */
interface Service {
  readonly protocol: AnyProtocol;
  readonly projection: Projection;
  /** A server that behaves by another table. */
  serve(table: ProtocolTable, observer: SessionObserver): Dial;
  /** Whether the server did, beside what it answered, just what this test asks for. */
  didRight(one: Test): boolean;
}

const suiteOf = ({ core }: Projection, k: number): readonly Test[] => [...hsiSuite(core, k)];

async function killAll(service: Service) {
  const { protocol, projection } = service;
  const counts: Record<Mutant['kind'], Partial<Record<Verdict, number>>> = {
    redirected: {},
    accepted: {},
    refused: {},
  };
  const equivalent = new Map<string, string[]>();
  const unseen = new Map<string, number>();
  const survivors: string[] = [];
  let tests = suiteOf(projection, 0);
  const deeper = suiteOf(projection, 1);
  for (const mutant of mutantsOf(protocol.table)) {
    // What is proved to be no fault need not be tried.
    const [caught, , killer] = isEquivalent(protocol.table, mutant.table)
      ? (['equivalent', '', undefined] as const)
      : await judge(service, mutant.table, tests);
    // Its neighbour falls to the same test, as likely as not.
    if (killer !== undefined) tests = [killer, ...tests.filter((one) => one !== killer)];
    const verdict =
      caught ??
      // A state that takes nothing any more is one that the protocol does not have: it lies one step off.
      (showsInSamples(projection, mutant)
        ? ((await judge(service, mutant.table, deeper))[0] ?? 'survived')
        : 'unseen');
    counts[mutant.kind][verdict] = (counts[mutant.kind][verdict] ?? 0) + 1;
    const { from, to, change } = inWords(mutant, protocol.table);
    if (verdict === 'equivalent') equivalent.set(from, [...(equivalent.get(from) ?? []), to]);
    if (verdict === 'unseen') unseen.set(from, (unseen.get(from) ?? 0) + 1);
    if (verdict === 'survived') survivors.push(change);
  }
  print(protocol.name, counts, equivalent, protocol.table.states.length);
  for (const [from, count] of unseen) console.info(`unseen: ${from}, ${count} mutants`);
  return { survivors, unseen: unseen.size };
}

async function judge(
  service: Service,
  table: ProtocolTable,
  tests: readonly Test[],
): Promise<[Verdict | undefined, string, Test | undefined]> {
  let alarms = 0;
  let taken: string[] = [];
  const dial = service.serve(table, {
    failed: () => {
      alarms++;
    },
    transaction: (_, received) => taken.push(received),
  });
  for (const one of tests) {
    const difference = await hold(service.projection, one, dial);
    if (difference !== undefined) return ['answers', difference, one];
    const isRight = service.didRight(one) && String(taken) === String(takenIn(service.projection, one));
    if (!isRight) return [alarms > 0 ? 'alarm' : 'deeds', `${one.id}: ${taken}`, one];
    if (alarms > 0) return ['alarm', one.id, one];
    taken = [];
  }
  return [undefined, '', undefined];
}

/**
 * Whether one client could tell, in whatever dialogue, from the answers that the samples provoke. If not, it takes an
 * answer that they do not (a failing store, a long list), or a second client at the right moment.
 */
function showsInSamples({ protocol, inputs, mealy }: Projection, { table }: Mutant): boolean {
  try {
    return difference(mealy, project({ ...protocol, table }, inputs).mealy) !== undefined;
  } catch {
    return true;
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
  const log = memoryLog((name, messages) => {
    const texts = messages.map(String);
    const taken = texts.includes('full') ? texts.indexOf('full') : texts.length;
    kept.push(...texts.slice(0, taken).map((text) => `${name}: ${text}`));
    return taken;
  });
  return {
    protocol: messageLog,
    projection,
    serve(table, observer) {
      kept = [];
      // Without runs: theirs is made from the table that is not mutated.
      const mutated = withTable(messageLog, table);
      return memoryServer(mutated, messageLogHandlers({ log }), observer);
    },
    didRight(one) {
      const due = acceptedBy(projection, [one], 'MESSAGE').map(() => 'ann: hello');
      const right = kept.join() === due.join();
      kept = [];
      return right;
    },
  };
}

function basicChatService(): Service {
  const projection = project(basicChat, inputsOf(basicChat));
  let sent: string[] = [];
  const log: RoomLog = { registered() {}, disconnected() {}, sent: (_, message) => sent.push(message) };
  return {
    protocol: basicChat,
    projection,
    serve(table, observer) {
      sent = [];
      const mutated = withTable(basicChat, table);
      return memoryServer(mutated, basicChatHandlers({ log }), observer);
    },
    didRight(one) {
      const due = acceptedBy(projection, [one], 'SEND').map(() => 'hello');
      const right = sent.join() === due.join();
      sent = [];
      return right;
    },
  };
}

function accountChatService(): Service {
  const projection = project(accountChat, inputsOf(accountChat));
  return {
    protocol: accountChat,
    projection,
    serve(table, observer) {
      const mutated = withTable(accountChat, table);
      const service = { accounts: new MemoryAccounts(), passwords: plainPasswords };
      return memoryServer(mutated, accountChatHandlers(service), observer);
    },
    // What is done shows in the answers.
    didRight: () => true,
  };
}

// What is unseen of the chats takes a second client, a store that fails or a list in several frames: answers that no
// sample provokes. Their handlers' own tests try those.
test.each([
  ['message-log', messageLogService(), 0],
  ['basic-chat', basicChatService(), undefined],
  ['account-chat', accountChatService(), undefined],
])('every single-fault mutant of %s is caught by the generated tests', async (_, service, unseen) => {
  const { protocol, projection } = service;
  expect(await judge(service, protocol.table, suiteOf(projection, 0))).toEqual([undefined, '', undefined]);
  const left = await killAll(service);
  expect(left.survivors).toEqual([]);
  if (unseen !== undefined) expect(left.unseen).toBe(unseen);
});
