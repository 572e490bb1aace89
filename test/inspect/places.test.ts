import { expect, test } from 'vitest';
import { chartOf, edgesFrom } from '../../src/diagram/chart.ts';
import { Places, stateValues } from '../../src/inspect/places.ts';
import { answersOf } from '../../src/inspect/transactions.ts';
import { REFUSED } from '../../src/machine/table.ts';
import { accountChat } from '../../src/protocols/account-chat/protocol.ts';
import { basicChat } from '../../src/protocols/basic-chat/protocol.ts';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { StepCounts } from '../../src/transport/step-counts.ts';

const protocols = [messageLog, basicChat, accountChat];

test.each(protocols)('every step that $name takes has a place in its chart', ({ machine, table }) => {
  const chart = chartOf(machine);
  const values = stateValues(machine, table);
  const places = new Places(chart, table, values);
  const seen = new Set<string>();
  for (const [cell, to] of table.next.entries()) {
    const event = table.events[cell % table.events.length] ?? '';
    const state = Math.floor(cell / table.events.length);
    const stepCounts = new StepCounts(table);
    stepCounts.taken[cell] = 7;
    const taken = places.edges.filter((_, nth) => places.taken(stepCounts)[nth] !== 0);
    if (to === REFUSED) expect(taken).toEqual([]);
    else {
      expect(taken).toEqual(edgesFrom(chart, values[state] ?? '', event).map(({ id }) => id));
      expect(taken, `${table.states[state]} ${event}`).not.toEqual([]);
    }
    for (const id of taken) seen.add(id);
  }
  expect(chart.edges.map(({ id }) => id).filter((id) => !seen.has(id))).toEqual([]);
});

test('a connection stands in a state and in those around it, of parallel ones in all regions', () => {
  const { machine, table } = basicChat;
  const places = new Places(chartOf(machine), table, stateValues(machine, table));
  const stepCounts = new StepCounts(table);
  const state = table.states.indexOf('registered(sending.judging, delivering.idle)');
  stepCounts.enter(state);
  stepCounts.enter(state);
  expect(places.states.filter((_, nth) => places.standing(stepCounts)[nth] === 2).toSorted()).toEqual([
    'registered',
    'registered.delivering',
    'registered.delivering.idle',
    'registered.sending',
    'registered.sending.judging',
  ]);
});

test('the order tells which request a reply answers, where each has its own state', () => {
  const { table } = messageLog;
  const told = answersOf(table)?.map(({ cell, message, outcome }) => {
    return `${table.states[Math.floor(cell / table.events.length)]} ${message} ${outcome}`;
  });
  expect(told).toEqual([
    'N.judging NAME ACCEPT',
    'N.judging NAME REJECT',
    'P.judging PASSWORD ACCEPT',
    'P.judging PASSWORD REJECT',
    'M.judging MESSAGE ACCEPT',
    'M.judging MESSAGE REJECT',
    'X.judging CLOSE ACCEPT',
  ]);
  // A DELIVER that crosses a SEND answers nothing.
  const outcomes = answersOf(basicChat.table)?.map(({ message, outcome }) => `${message} ${outcome}`);
  expect(new Set(outcomes)).toEqual(new Set(['REGISTER OK', 'REGISTER REFUSE', 'SEND OK', 'SEND REFUSE']));
  // REG and MSG lead to the same state.
  expect(answersOf(accountChat.table)).toBeUndefined();
});
