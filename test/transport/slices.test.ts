import { expect, test } from 'vitest';
import { Slices } from '../../src/transport/slices.ts';

const contents = (slices: Slices) => [...slices].map((slice) => Buffer.from(slice).toString());

test('pieces lie one behind the other', () => {
  const slices = Slices.of(Buffer.from('ab'), Buffer.from(''), Buffer.from('c'));
  expect(slices.length).toBe(3);
  expect(contents(slices)).toEqual(['ab', '', 'c']);
  expect([slices.start(2), slices.end(2)]).toEqual([2, 3]);
});

test('a single piece is not copied, and none is none', () => {
  const piece = Buffer.from('ab');
  expect(Slices.of(piece).bytes).toBe(piece);
  expect(contents(Slices.of())).toEqual([]);
});

test('a header stands before each', () => {
  const slices = new Slices(Buffer.from('..:ab:c:'), 2, 1, [5]);
  slices.add(7);
  slices.add(8);
  expect(contents(slices)).toEqual(['ab', 'c', '']);
});
