import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noPython } from '../../outsiders/outsider.ts';
import { type Answer, converse, dialogueNames, expectedAnswers } from './converse.ts';
import { type FaultyServer, faultyServers } from './faults.ts';
import { type Listening, listen } from './reference.ts';

describe.skipIf(noPython !== undefined)(`hand-written message-log servers ${noPython ?? ''}`, () => {
  const servers = new Map<FaultyServer, Listening>();
  let reference: Listening;
  let answers: Map<string, Answer[]>;

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
    expect(answers.get(name)).toEqual(expectedAnswers(name));
  });

  test.each(faultyServers)('$id: $says', ({ id, witness }) => {
    const observed = answers.get(id);
    expect(observed).toHaveLength(expectedAnswers(witness).length);
    expect(observed?.map(({ ending }) => ending)).not.toContain('refused');
    expect(observed).not.toEqual(expectedAnswers(witness));
  });

  test('ids are unique and none is the name of a dialogue', () => {
    const ids = [...faultyServers.map(({ id }) => id), ...dialogueNames];
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('the reference server logs what it answered by 0, and nothing else', async () => {
    const server = await listen();
    await converse([
      { id: 'legal', port: server.port, dialogue: 'legal path' },
      { id: 'refused', port: server.port, dialogue: 'M: a message after a refused one' },
      { id: 'too early', port: server.port, dialogue: 'P: whole MESSAGE' },
      { id: 'torn', port: server.port, dialogue: 'FIN inside MESSAGE' },
    ]);
    await server.close();
    expect(server.log.map(({ name, message }) => `${name}: ${message}`)).toEqual([
      'alice: hi',
      'alice: there',
    ]);
  });
});
