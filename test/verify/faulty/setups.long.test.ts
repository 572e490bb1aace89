import { describe, expect, test } from 'vitest';
import { noPython } from '../../outsiders/outsider.ts';
import { type Answer, converse, expectedAnswers } from './converse.ts';
import type { DialogueName } from './dialogues.ts';
import { type SetUp, setUps } from './setups.ts';

async function hold(setUp: SetUp, dialogue: DialogueName, times: number): Promise<Answer[][]> {
  const server = await setUp.listen();
  const ids = Array.from({ length: times }, (_, index) => String(index));
  const answers = await converse(ids.map((id) => ({ id, port: server.port, dialogue })));
  await server.close();
  return [...answers.values()];
}

const sorted = (verdict: SetUp['verdict']): SetUp[] => setUps.filter((setUp) => setUp.verdict === verdict);

describe.skipIf(noPython !== undefined)(`set-ups ${noPython ?? ''}`, () => {
  test.each(sorted('conforms'))('$id conforms: $says', async (setUp) => {
    for (const answers of await hold(setUp, 'legal path', 5))
      expect(answers).toEqual(expectedAnswers('legal path'));
  });

  test.each(sorted('set-up'))('$id never completes a hundred messages: $says', async (setUp) => {
    const name = 'a hundred messages queued, then FIN';
    for (const answers of await hold(setUp, name, 2)) expect(answers).not.toEqual(expectedAnswers(name));
  });

  test.each(sorted('flaky'))('$id is right sometimes: $says', async (setUp) => {
    const right = JSON.stringify(expectedAnswers('legal path'));
    const outcomes = (await hold(setUp, 'legal path', 40)).map(
      (answers) => JSON.stringify(answers) === right,
    );
    expect(new Set(outcomes)).toEqual(new Set([true, false]));
  });
});
