import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Admission, type AdmissionLimits } from '../../../src/transport/socket/admission.ts';

interface Visitor {
  readonly source: string;
  isStarting: boolean;
}

const visitor = (source: string): Visitor => ({ source, isStarting: true });

/** A small generator (mulberry32), so that every run is the same. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const of = (limits: AdmissionLimits, seed = 14) => new Admission<Visitor>(limits, randomOf(seed));

test('a source has so many places and no more, and nobody else pays for it', () => {
  const admission = of({ maxPerSource: 2 });
  const [first, second, third] = [visitor('a'), visitor('a'), visitor('a')];
  expect([admission.enter(first), admission.enter(second)]).toEqual([undefined, undefined]);
  expect(admission.enter(third)).toEqual({ guest: third, reason: 'source' });
  expect(admission.enter(visitor('b'))).toBeUndefined();
  admission.leave(first);
  admission.leave(first);
  expect(admission.enter(third)).toBeUndefined();
  expect(admission.count).toBe(3);
});

test('50 idle strangers of one source hold all 50 places: 1,000 who come to log in all get one', () => {
  const admission = of({ maxConnections: 50 });
  for (let count = 0; count < 50; count++) admission.enter(visitor('stranger'));
  for (let count = 0; count < 1000; count++) {
    const honest = visitor(`honest ${count % 7}`);
    const turned = admission.enter(honest);
    expect(turned).toMatchObject({ guest: { source: 'stranger' }, reason: 'connections' });
    honest.isStarting = false;
    admission.leave(honest);
    admission.enter(visitor('stranger'));
    expect(admission.count).toBe(50);
  }
});

test('50 idle strangers of 50 sources: at least 95 of 100 who come to log in get in (10,000 tries, seed 14)', () => {
  const admission = of({ maxConnections: 50 });
  for (let count = 0; count < 50; count++) admission.enter(visitor(`stranger ${count}`));
  let refused = 0;
  for (let count = 0; count < 10_000; count++) {
    const honest = visitor('honest');
    const turned = admission.enter(honest);
    if (turned?.guest === honest) refused++;
    else {
      honest.isStarting = false;
      admission.leave(honest);
      admission.enter(visitor(`stranger ${50 + count}`));
    }
  }
  // The newcomer is one of 33 that are looked at, all equal.
  expect(refused).toBeLessThan(500);
});

test('where all have logged in, the newcomer is turned away', () => {
  const admission = of({ maxConnections: 3 });
  for (let count = 0; count < 3; count++) {
    const honest = visitor('honest');
    admission.enter(honest);
    honest.isStarting = false;
  }
  const late = visitor('late');
  expect(admission.enter(late)).toEqual({ guest: late, reason: 'connections' });
  expect(admission.count).toBe(3);
});

test('early drop begins at start with its rate and grows to all at full', () => {
  const dropsAt = (standing: number): number => {
    let drops = 0;
    for (let seed = 0; seed < 500; seed++) {
      const admission = of({ maxStartups: { start: 10, rate: 30, full: 60 } }, seed);
      for (let count = 0; count < standing; ) if (admission.enter(visitor('x')) === undefined) count++;
      if (admission.enter(visitor('x')) !== undefined) drops++;
    }
    return drops / 500;
  };
  expect(dropsAt(9)).toBe(0);
  expect(dropsAt(10)).toBeCloseTo(0.3, 1);
  expect(dropsAt(35)).toBeCloseTo(0.65, 1);
  expect(dropsAt(60)).toBe(1);
});

test('those that have logged in do not count as starting, and are never dropped for somebody else', () => {
  const admission = of({ maxStartups: { start: 2, rate: 100, full: 2 } });
  const users = Array.from({ length: 100 }, () => visitor('office'));
  for (const user of users) {
    expect(admission.enter(user)).toBeUndefined();
    user.isStarting = false;
  }
  for (let count = 0; count < 1000; count++) {
    const turned = admission.enter(visitor(`stranger ${count}`));
    expect(turned === undefined || turned.guest.isStarting).toBe(true);
  }
  expect(admission.count).toBe(102);
});

test('whoever comes, logs in and goes: bounds hold and the counts are right (1,000 histories, seed 14)', () => {
  const event = fc.record({
    kind: fc.constantFrom('come', 'login', 'go'),
    who: fc.nat(30),
    source: fc.nat(4),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 200 }), fc.integer(), (events, seed) => {
      const limits = { maxConnections: 12, maxPerSource: 5, maxStartups: { start: 3, rate: 50, full: 8 } };
      const admission = of(limits, seed);
      let inside: Visitor[] = [];
      for (const { kind, who, source } of events) {
        const chosen = inside[who % Math.max(1, inside.length)];
        if (kind === 'login' && chosen !== undefined) chosen.isStarting = false;
        if (kind === 'go' && chosen !== undefined) {
          admission.leave(chosen);
          inside = inside.filter((each) => each !== chosen);
        }
        if (kind === 'come') {
          const newcomer = visitor(`source ${source}`);
          const turned = admission.enter(newcomer);
          inside = [...inside, newcomer].filter((each) => each !== turned?.guest);
          if (turned !== undefined) expect(turned.guest.isStarting).toBe(true);
        }
        expect(admission.count).toBe(inside.length);
        expect(inside.length).toBeLessThanOrEqual(12);
        expect(inside.filter(({ isStarting }) => isStarting).length).toBeLessThanOrEqual(8);
        for (let from = 0; from < 5; from++) {
          expect(inside.filter((each) => each.source === `source ${from}`).length).toBeLessThanOrEqual(5);
        }
      }
    }),
    { numRuns: 1000, seed: 14 },
  );
});
