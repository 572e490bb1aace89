import fc from 'fast-check';
import { expect, test } from 'vitest';
import { convert, create } from 'xmlbuilder2';
import { type AnyStateMachine, createMachine } from 'xstate';
import { chartOf, statesOf } from '../../src/diagram/chart.ts';
import { layoutOf, size } from '../../src/diagram/layout.ts';
import { svgOf } from '../../src/diagram/svg.ts';
import { sansWidth } from '../../src/diagram/text.ts';
import { viewOf } from '../../src/diagram/view.ts';
import { accountChatMachine } from '../../src/protocols/account-chat/machine.ts';
import { basicChatMachine } from '../../src/protocols/basic-chat/machine.ts';
import { messageLogMachine } from '../../src/protocols/message-log/machine.ts';
import { dialogue, door, room } from './examples.ts';

const machines = { door, dialogue, room, messageLogMachine, basicChatMachine, accountChatMachine };

function attributes(svg: string, name: string): string[] {
  return [...svg.matchAll(new RegExp(` ${name}="([^"]*)"`, 'g'))].map(([, value]) => value ?? '');
}

for (const [name, machine] of Object.entries(machines)) {
  test(`${name}: the picture holds every state and every edge`, async () => {
    const svg = await svgOf(machine);
    const chart = chartOf(machine);
    const rooted = viewOf(chart).arrows.some(({ from }) => from === '') ? [''] : [];
    expect(attributes(svg, 'data-state').toSorted()).toEqual(
      [...rooted, ...statesOf(chart).map(({ id }) => id)].toSorted(),
    );
    expect(
      attributes(svg, 'data-edge')
        .flatMap((ids) => ids.split(' '))
        .toSorted(),
    ).toEqual(chart.edges.map(({ id }) => id).toSorted());
    expect(convert(svg, { format: 'object' })).toHaveProperty('svg');
  });

  test(`${name}: the same machine gives the same bytes`, async () => {
    for (const detail of ['overview', 'full'] as const) {
      expect(await svgOf(machine, { detail })).toBe(await svgOf(machine, { detail }));
    }
  });

  test(`${name}: nothing is drawn outside the picture, no two states overlap, every arrow has a line`, async () => {
    for (const detail of ['overview', 'full'] as const) {
      for (const direction of ['right', 'down'] as const) {
        const layout = await layoutOf(viewOf(chartOf(machine), detail), direction, false);
        const inside = [...layout.states, ...layout.arrows.flatMap(({ labels }) => labels)];
        for (const { x, y, width, height } of inside) {
          expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
          expect(x + width).toBeLessThanOrEqual(layout.width);
          expect(y + height).toBeLessThanOrEqual(layout.height);
        }
        for (const { description, width } of layout.states) {
          for (const line of description)
            expect(sansWidth(line, size.description) + size.pad).toBeLessThanOrEqual(width);
        }
        for (const { points } of layout.arrows) expect(points.length).toBeGreaterThan(1);
        const plain = layout.states.filter(({ open }) => !open);
        for (const [nth, a] of plain.entries()) {
          for (const b of plain.slice(nth + 1)) {
            const apart =
              a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
            expect(apart, `${a.state.id} over ${b.state.id}`).toBe(true);
          }
        }
      }
    }
  });
}

test('the picture stands alone and can be read aloud', async () => {
  const svg = await svgOf(door);
  expect(svg).toMatch(
    /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" class="wirechart" viewBox="0 0 \d+ \d+"/,
  );
  expect(svg).toContain('role="img"');
  expect(svg).toContain('<title>door: statechart</title>');
  expect(svg).toContain('A door that &lt;opens&gt; &amp; "shuts".');
  expect(svg).toContain('prefers-color-scheme:dark');
  expect(svg.match(/(https?:|url\(|href|@import)[^"]*/g)).toEqual(['http://www.w3.org/2000/svg']);
});

test('who owes the next message is said by word and shape, not by colour alone', async () => {
  const svg = await svgOf(dialogue);
  const awaiting = /<g class="state atomic owes-client" data-state="N.awaiting"[\s\S]*?<\/g>/.exec(svg)?.[0];
  expect(awaiting).toContain('>client owes<');
  expect(awaiting).toContain('<circle class="glyph"');
  const judging = /<g class="state atomic owes-server" data-state="N.judging"[\s\S]*?<\/g>/.exec(svg)?.[0];
  expect(judging).toContain('>server owes<');
  expect(judging).toContain('<rect class="glyph"');
});

test('classes mark states, edges and the arrows around them', async () => {
  const svg = await svgOf(dialogue, {
    classes: { states: { 'N.awaiting': 'active' }, edges: { 'N.judging:server.REJECT': 'failed' } },
  });
  expect(svg).toContain('<g class="state atomic owes-client active" data-state="N.awaiting"');
  expect(svg).toMatch(/<g class="edge server failed" data-edge="N\.judging:server\.REJECT"/);
  expect(svg).toMatch(/<g class="arrow failed" data-from="N\.judging" data-to="X"/);
});

test('a live picture has an empty count in every state and an empty flow on every edge', async () => {
  const svg = await svgOf(room, { live: true });
  const chart = chartOf(room);
  expect(attributes(svg, 'data-count')).toHaveLength(statesOf(chart).length);
  expect(attributes(svg, 'data-flow').toSorted()).toEqual(chart.edges.map(({ id }) => id).toSorted());
});

test('any machine can be drawn (seed 5, 60 runs)', async () => {
  await fc.assert(
    fc.asyncProperty(anyMachine(), async (machine) => {
      for (const detail of ['overview', 'full'] as const) create(await svgOf(machine, { detail }));
    }),
    { seed: 5, numRuns: 60 },
  );
});

/** Up to four outer states, some holding children, some regions, with random events between any two of them all. */
function anyMachine(): fc.Arbitrary<AnyStateMachine> {
  const child = fc.constantFrom('plain', 'final', 'compound', 'parallel');
  const edge = fc.tuple(fc.nat(40), fc.nat(40), fc.constantFrom('client', 'server', 'transport'), fc.nat(5));
  return fc
    .tuple(fc.array(child, { minLength: 1, maxLength: 4 }), fc.array(edge, { maxLength: 14 }))
    .map(([kinds, edges]) => {
      const ids = kinds.flatMap((kind, nth) => {
        const inner = kind === 'plain' || kind === 'final' ? [] : [`s${nth}a`, `s${nth}b`];
        return [
          `s${nth}`,
          ...inner,
          ...(kind === 'parallel' ? inner.flatMap((id) => [`${id}x`, `${id}y`]) : []),
        ];
      });
      const on = (id: string): Record<string, string> =>
        Object.fromEntries(
          edges
            .filter(([from]) => ids[from % ids.length] === id)
            .map(([, to, sender, message]) => [`${sender}.E${message}`, `#${ids[to % ids.length]}`]),
        );
      const leaf = (id: string) => ({ id, on: on(id) });
      const region = (id: string) => ({
        id,
        on: on(id),
        initial: 'x',
        states: { x: leaf(`${id}x`), y: leaf(`${id}y`) },
      });
      const outer = kinds.map((kind, nth) => {
        const id = `s${nth}`;
        if (kind === 'final') return [id, { id, type: 'final' as const }] as const;
        if (kind === 'compound') {
          return [
            id,
            { ...leaf(id), initial: 'a', states: { a: leaf(`${id}a`), b: leaf(`${id}b`) } },
          ] as const;
        }
        if (kind === 'parallel') {
          const states = { a: region(`${id}a`), b: region(`${id}b`) };
          return [id, { ...leaf(id), type: 'parallel' as const, states }] as const;
        }
        return [id, leaf(id)] as const;
      });
      return createMachine({ id: 'any', initial: 's0', states: Object.fromEntries(outer) });
    });
}

test('where an overview joins replies from several states, the drawn one answers to the ids of all', async () => {
  const svg = await svgOf(accountChatMachine, { detail: 'overview', live: true });
  expect(svg).toContain('data-edge="anonymous.judging:server.SUC anonymous.listing:server.SUC"');
  expect(svg).toContain('data-flow="anonymous.judging:server.ERR anonymous.listing:server.ERR"');
});
