import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noPython, runPython } from '../../outsiders/outsider.ts';
import { type Connection, type DialogueName, dialogues } from './dialogues.ts';
import { type FaultyServer, faultyServers } from './faults.ts';
import { type Listening, listen } from './reference.ts';

interface Answer {
  readonly replies: string;
  readonly ending: string;
}

const dialogueNames = Object.keys(dialogues).filter((name): name is DialogueName => name in dialogues);
const expected = (connections: readonly Connection[]): Answer[] =>
  connections.map(({ replies, ending }) => ({ replies, ending }));

/** One Python process holds all dialogues, many at a time. */
async function converse(
  wanted: readonly { readonly id: string; readonly port: number; readonly dialogue: DialogueName }[],
): Promise<Map<string, Answer[]>> {
  const lines = wanted.map(({ id, port, dialogue }) =>
    JSON.stringify({ id, port, connections: dialogues[dialogue] }),
  );
  const { status, stdout, stderr } = await runPython('message_log_client.py', ['--batch'], lines.join('\n'));
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return new Map(
    stdout
      .trim()
      .split('\n')
      .map((line): { id: string; connections: Answer[] } => JSON.parse(line))
      .map(({ id, connections }) => [id, connections]),
  );
}

describe.skipIf(noPython !== undefined)(`hand-written servers ${noPython ?? ''}`, () => {
  let reference: Listening;
  let answers: Map<string, Answer[]>;
  const servers = new Map<FaultyServer, Listening>();

  beforeAll(async () => {
    reference = await listen();
    for (const server of faultyServers) servers.set(server, await listen(server.fault));
    answers = await converse([
      ...dialogueNames.map((dialogue) => ({ id: dialogue, port: reference.port, dialogue })),
      ...[...servers].map(([{ id, witness }, { port }]) => ({ id, port, dialogue: witness })),
    ]);
  });

  afterAll(async () => {
    await Promise.all([reference, ...servers.values()].map((server) => server.close()));
  });

  test.each(dialogueNames)('the reference server: %s', (name) => {
    expect(answers.get(name)).toEqual(expected(dialogues[name]));
  });

  test('the reference server logs what it answered by 0, and nothing else', async () => {
    const server = await listen();
    const connections = dialogues['M: a message after a refused one'];
    await converse([{ id: 'only', port: server.port, dialogue: 'legal path' }]);
    await converse([{ id: 'only', port: server.port, dialogue: 'M: a message after a refused one' }]);
    await server.close();
    expect(connections).toHaveLength(1);
    expect(server.log.map(({ name, message }) => [name, message.toString()])).toEqual([
      ['alice', 'hi'],
      ['alice', 'there'],
    ]);
  });

  test.each(faultyServers)('$id: $says', ({ id, witness }) => {
    const observed = answers.get(id);
    expect(observed).toHaveLength(dialogues[witness].length);
    expect(observed).not.toEqual(expected(dialogues[witness]));
  });

  test('ids are unique and none is the name of a dialogue', () => {
    const ids = faultyServers.map(({ id }) => id);
    expect(new Set([...ids, ...dialogueNames]).size).toBe(ids.length + dialogueNames.length);
  });
});
