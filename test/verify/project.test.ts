import { expect, test } from 'vitest';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { inputsOf } from '../../src/verify/inputs.ts';
import { nextState, outputOn } from '../../src/verify/mealy.ts';
import { isSociable, project } from '../../src/verify/project.ts';
import { hsiSuite, testOf } from '../../src/verify/suite.ts';

const inputs = inputsOf(messageLog);

test('the inputs of message-log have stable ids', () => {
  expect(inputs.map(({ id, kind }) => `${kind} ${id}`)).toEqual([
    'valid NAME',
    'refused NAME:leading-nul',
    'valid PASSWORD',
    'refused PASSWORD:refused',
    'valid MESSAGE',
    'valid CLOSE',
    'malformed unknown:05',
    'malformed unknown:fe',
    'malformed NAME:empty',
    'malformed PASSWORD:empty',
    'malformed MESSAGE:empty',
    'misdirected server.ACCEPT',
    'misdirected server.REJECT',
    'unknown NAME:code-81',
    'unknown PASSWORD:code-82',
    'unknown MESSAGE:code-83',
    'truncated truncated',
    'end end',
  ]);
});

test('a sample that its frame cannot say is told by its name', () => {
  const samples = (unique: string) => ({
    ...messageLog.samples(unique),
    messages: { NAME: { message: { type: 'client.NAME' }, answer: 'server.ACCEPT' } },
  });
  expect(() => inputsOf(messageLog, samples)).toThrow(/^sample NAME: payload: expected/);
});

test('a truncated frame is one that is legal where it is sent, all but its last byte', () => {
  const truncated = inputs.find(({ id }) => id === 'truncated');
  const bytesIn = (state: string) =>
    Buffer.from(truncated?.use('a', messageLog.table.states.indexOf(state)).bytes ?? []).toString('hex');
  expect(bytesIn('N.awaiting')).toBe('010300616e');
  expect(bytesIn('P.awaiting')).toBe('020100');
  expect(bytesIn('M.awaiting')).toBe('03050068656c6c');
});

// By hand, from docs/protocols/message-log.md: what is not here is refused with 0xff, then closed.
const accepted: Record<string, string> = {
  'N.awaiting NAME': 'ACCEPT -> P.awaiting',
  'P.awaiting PASSWORD': 'ACCEPT -> M.awaiting',
  'M.awaiting MESSAGE': 'ACCEPT -> M.awaiting',
};
const anywhere: Record<string, string> = {
  CLOSE: 'ACCEPT, closes -> closed',
  truncated: 'closes -> closed',
  end: 'closes -> closed',
};

test('message-log is projected to what its document says', () => {
  const { mealy } = project(messageLog, inputs);
  const projected: Record<string, string> = {};
  const expected: Record<string, string> = {};
  for (const [state, name] of mealy.states.entries()) {
    if (mealy.closed?.[state]) continue;
    for (const [input, id] of mealy.inputs.entries()) {
      const cell = `${name} ${id}`;
      projected[cell] =
        `${mealy.outputs[outputOn(mealy, state, input)]} -> ${mealy.states[nextState(mealy, state, input)]}`;
      expected[cell] = accepted[cell] ?? anywhere[id] ?? 'REJECT, closes -> closed';
    }
  }
  expect(projected).toEqual(expected);
  expect(Object.keys(projected)).toHaveLength(3 * inputs.length);
});

test('a server that refuses the content of a sample is another machine', () => {
  const { mealy } = project(messageLog, inputs, { choices: new Map([['PASSWORD', 'server.REJECT']]) });
  expect(mealy.states).toEqual(['N.awaiting', 'P.awaiting', 'closed']);
  const { outputs } = testOf(mealy, 'NAME/PASSWORD/MESSAGE');
  expect(outputs.map((output) => mealy.outputs[output])).toEqual(['ACCEPT', 'REJECT, closes']);
});

test('an answer that the machine does not allow is told', () => {
  const choices = new Map([['NAME', 'client.NAME']]);
  expect(() => project(messageLog, inputs, { choices })).toThrow(
    'sample NAME: answered by client.NAME, which the machine does not allow in state N.judging',
  );
});

test('the suite of message-log is small: most words end in a close', () => {
  const { mealy } = project(messageLog, inputs);
  expect([0, 1, 2].map((k) => hsiSuite(mealy, k).size)).toEqual([53, 70, 87]);
  expect(isSociable(messageLog)).toBe(false);
});
