import { mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { adjacencyMapToArray, getAdjacencyMap } from '@xstate/graph';
import { expect, test } from 'vitest';
import {
  type ActorLogic,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  createMachine,
  type EventObject,
  StateMachine,
} from 'xstate';
import { mermaidOf } from '../../src/diagram/mermaid.ts';
import { tableOf } from '../../src/diagram/table.ts';
import { configOf, xstateOf } from '../../src/diagram/xstate.ts';
import { accountChatMachine } from '../../src/protocols/account-chat/machine.ts';
import { basicChatMachine } from '../../src/protocols/basic-chat/machine.ts';
import { messageLogMachine } from '../../src/protocols/message-log/machine.ts';
import { dialogue, door, room } from './examples.ts';

const machines = { door, dialogue, room, messageLogMachine, basicChatMachine, accountChatMachine };

/** Every state with every event of the machine: what is accepted, and where it leads. */
function adjacencyOf(machine: AnyStateMachine): string[] {
  const logic: ActorLogic<AnyMachineSnapshot, EventObject, undefined> = machine;
  const map = getAdjacencyMap(logic, {
    events: machine.events.map((type) => ({ type })),
    serializeState: (snapshot) => JSON.stringify(snapshot.value),
    serializeEvent: ({ type }) => type,
  });
  return adjacencyMapToArray(map).map(({ state, event, nextState }) =>
    JSON.stringify([state.value, [...state.tags], event.type, state.can(event), nextState.value]),
  );
}

async function imported(source: string): Promise<AnyStateMachine> {
  const folder = await mkdtemp(join(tmpdir(), 'wirechart-xstate-'));
  await symlink(resolve('node_modules'), join(folder, 'node_modules'), 'junction');
  const file = join(folder, 'machine.mjs');
  await writeFile(file, source);
  const module: { machine: unknown } = await import(/* @vite-ignore */ pathToFileURL(file).href);
  if (!(module.machine instanceof StateMachine)) throw new Error('the source exports no machine');
  return module.machine;
}

for (const [name, machine] of Object.entries(machines)) {
  test(`${name}: importing the written source gives the same machine`, async () => {
    const again = await imported(xstateOf(machine));
    expect(adjacencyOf(again).length).toBeGreaterThan(5);
    expect(adjacencyOf(again)).toEqual(adjacencyOf(machine));
    expect(configOf(again)).toEqual(configOf(machine));
  });

  test(`${name}: the Mermaid text is well formed`, () => {
    const text = mermaidOf(machine);
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => line.trim());
    const declared = new Set(lines.flatMap((line) => /^state ".*" as (\w+)/.exec(line)?.[1] ?? []));
    const ends = lines.flatMap((line) => {
      const [, from, to] = /^(\S+) --> (\S+)/.exec(line) ?? [];
      return [from, to].filter((id) => id !== undefined && id !== '[*]');
    });
    expect(ends.length).toBeGreaterThan(4);
    for (const end of ends) expect(declared).toContain(end);
    expect(lines.filter((line) => line.endsWith('{')).length).toBe(
      lines.filter((line) => line === '}').length,
    );
    for (const line of lines) {
      expect(line).toMatch(
        /^(stateDiagram-v2|--|\}|state "[^"<>]*" as \w+( \{)?|(\[\*\]|\w+) --> (\[\*\]|\w+)( : ([^:;<>"]|<br\/>)+)?|(classDef|class) .*)$/,
      );
    }
    expect(mermaidOf(machine)).toBe(text);
  });
}

test('Mermaid: regions are divided, names that Mermaid owns are changed, markup is escaped', () => {
  expect(mermaidOf(room).match(/^ +--$/gm)).toHaveLength(1);
  const awkward = createMachine({
    id: 'awkward',
    initial: 'end',
    states: {
      end: { description: 'a "quote"; <b>: #1', on: { GO: 'a-b' } },
      'a-b': { on: { GO: 'a_b' } },
      a_b: {},
    },
  });
  expect(mermaidOf(awkward)).toBe(
    [
      'stateDiagram-v2',
      '  [*] --> s_end',
      '  state "end#58; a #34;quote#34;#59; #60;b#62;#58; #35;1" as s_end',
      '  state "a-b" as a_b',
      '  state "a_b" as a_b_',
      '  s_end --> a_b : GO',
      '  a_b --> a_b_ : GO',
      '',
    ].join('\n'),
  );
});

test('what is more than order is not written as if it were not there', () => {
  const guarded = createMachine({
    id: 'guarded',
    initial: 'a',
    states: { a: { on: { GO: { target: 'a', guard: () => true } } } },
  });
  expect(() => xstateOf(guarded)).toThrow('guarded: state a: guards cannot be written as order');
});

test('a table shows the state afterwards, and what is refused', () => {
  const table = { states: ['A', 'B'], events: ['client.GO', 'server.OK'], next: [1, -1, -1, 0] };
  expect(tableOf(table, 'markdown')).toBe(
    [
      '| state | `client.GO` | `server.OK` |',
      '| --- | --- | --- |',
      '| `A` | `B` | · |',
      '| `B` | · | `A` |',
      '',
    ].join('\n'),
  );
  expect(tableOf(table)).toBe(
    [
      '┌───┬─────────┬─────────┐',
      '│   │ client. │ server. │',
      '│   │ GO      │ OK      │',
      '├───┼─────────┼─────────┤',
      '│ A │ B       │ ·       │',
      '│ B │ ·       │ A       │',
      '└───┴─────────┴─────────┘',
      '',
    ].join('\n'),
  );
});
