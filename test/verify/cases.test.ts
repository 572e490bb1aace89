import { expect, test } from 'vitest';
import { messageLogHandlers } from '../../src/protocols/message-log/handlers.ts';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { casesOf } from '../../src/verify/cases.ts';
import { inputsOf } from '../../src/verify/inputs.ts';
import { project } from '../../src/verify/project.ts';
import { hsiSuite } from '../../src/verify/suite.ts';
import { acceptedBy, holdCase } from '../support/hold.ts';
import { memoryServer } from '../support/line.ts';
import { memoryLog } from '../support/memory-log.ts';

const projection = project(messageLog, inputsOf(messageLog));
const cases = casesOf(projection);

test('every state where the client may speak, every input: ids are unique and stay', () => {
  expect(new Set(cases.map(({ id }) => id)).size).toBe(cases.length);
  expect(cases).toHaveLength(3 * projection.inputs.length);
  expect(
    cases
      .filter(({ id }) => id.startsWith('message-log/P/'))
      .map(({ id, expected }) => `${id}: ${expected.name}`),
  ).toMatchInlineSnapshot(`
    [
      "message-log/P/refuses-NAME: REJECT, closes",
      "message-log/P/refuses-NAME:leading-nul: REJECT, closes",
      "message-log/P/accepts-PASSWORD: ACCEPT",
      "message-log/P/rejects-PASSWORD:refused: REJECT, closes",
      "message-log/P/refuses-MESSAGE: REJECT, closes",
      "message-log/P/accepts-CLOSE: ACCEPT, closes",
      "message-log/P/refuses-unknown:05: REJECT, closes",
      "message-log/P/refuses-unknown:fe: REJECT, closes",
      "message-log/P/refuses-NAME:empty: REJECT, closes",
      "message-log/P/refuses-PASSWORD:empty: REJECT, closes",
      "message-log/P/refuses-MESSAGE:empty: REJECT, closes",
      "message-log/P/refuses-server.ACCEPT: REJECT, closes",
      "message-log/P/refuses-server.REJECT: REJECT, closes",
      "message-log/P/refuses-NAME:code-81: REJECT, closes",
      "message-log/P/refuses-PASSWORD:code-82: REJECT, closes",
      "message-log/P/refuses-MESSAGE:code-83: REJECT, closes",
      "message-log/P/ends-when-truncated: closes",
      "message-log/P/ends-when-end: closes",
    ]
  `);
});

test('together they are the dialogues of the complete suite with k = 0', () => {
  const { mealy } = projection;
  const own = new Set(cases.flatMap(({ tests }) => tests.map(({ id }) => id)));
  for (const { id } of hsiSuite(mealy, 0)) expect(own).toContain(id);
});

test.each(cases.map((one) => [one.id, one] as const))('without a socket: %s', async (_, one) => {
  const kept: string[] = [];
  const log = memoryLog((name, messages) => {
    kept.push(...messages.map((message) => `${name}: ${message}`));
    return messages.length;
  });
  const dial = memoryServer(messageLog, messageLogHandlers({ log }));
  expect(await holdCase(projection, one, dial)).toBeUndefined();
  // Nothing reaches the log but what was accepted.
  const accepted = acceptedBy(projection, [one], 'MESSAGE');
  expect(kept).toEqual(accepted.map(() => 'ann: hello'));
});
