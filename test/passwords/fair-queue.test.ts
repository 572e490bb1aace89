import { expect, test } from 'vitest';
import { FairQueue } from '../../src/passwords/fair-queue.ts';

const all = (queue: FairQueue<string>): string[] => {
  const jobs: string[] = [];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) jobs.push(next);
  return jobs;
};

test('sources take turns, however much each of them asks; of one source the first goes first', () => {
  const queue = new FairQueue<string>(100);
  for (const job of ['a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'c2']) queue.push(job, job[0] ?? '', 0);
  expect(all(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3', 'a4']);
});

test('who has failed of late has one turn in four, and waits for nobody else', () => {
  const queue = new FairQueue<string>(100);
  queue.suspect('s');
  for (const job of ['s1', 's2', 's3', 'a1', 'a2', 'b1', 'b2', 'c1', 'c2']) queue.push(job, job[0] ?? '', 0);
  expect(all(queue)).toEqual(['a1', 'b1', 'c1', 's1', 'a2', 'b2', 'c2', 's2', 's3']);
});

test('of one source those go first who have failed least', () => {
  const queue = new FairQueue<string>(100);
  queue.push('guesser', 's', 9);
  queue.push('owner', 's', 0);
  queue.push('mistyped', 's', 1);
  expect(all(queue)).toEqual(['owner', 'mistyped', 'guesser']);
});

test('one too many pushes out the last of the worst of the source that has the most', () => {
  const queue = new FairQueue<string>(4);
  for (const [job, failures] of [
    ['a1', 0],
    ['a2', 3],
    ['a3', 3],
  ] as const)
    queue.push(job, 'a', failures);
  expect(queue.push('b1', 'b', 0)).toBeUndefined();
  expect(queue.push('b2', 'b', 0)).toBe('a3');
  expect(queue.push('a4', 'a', 5)).toBe('a4');
  expect(all(queue)).toEqual(['a1', 'b1', 'a2', 'b2']);
});
