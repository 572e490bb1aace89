import { expect, test } from 'vitest';
import { messageLogHandlers } from '../../src/protocols/message-log/handlers.ts';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { inputsOf } from '../../src/verify/inputs.ts';
import { project } from '../../src/verify/project.ts';
import { hsiSuite } from '../../src/verify/suite.ts';
import { acceptedBy, hold } from '../support/hold.ts';
import { memoryServer } from '../support/line.ts';
import { memoryLog } from '../support/memory-log.ts';

const projection = project(messageLog, inputsOf(messageLog));
const tests = [...hsiSuite(projection.core, 1)];

test('every state where the client may speak, every input: ids are unique and stay', () => {
  expect(new Set(tests.map(({ id }) => id)).size).toBe(tests.length);
  expect(tests.map(({ id }) => id).filter((id) => /^NAME\/PASSWORD\/[^/]+$/.test(id))).toMatchInlineSnapshot(`
    [
      "NAME/PASSWORD/NAME",
      "NAME/PASSWORD/NAME:leading-nul",
      "NAME/PASSWORD/PASSWORD",
      "NAME/PASSWORD/PASSWORD:refused",
      "NAME/PASSWORD/CLOSE",
      "NAME/PASSWORD/unknown:05",
      "NAME/PASSWORD/unknown:fe",
      "NAME/PASSWORD/NAME:empty",
      "NAME/PASSWORD/PASSWORD:empty",
      "NAME/PASSWORD/MESSAGE:empty",
      "NAME/PASSWORD/server.ACCEPT",
      "NAME/PASSWORD/server.REJECT",
      "NAME/PASSWORD/NAME:code-81",
      "NAME/PASSWORD/PASSWORD:code-82",
      "NAME/PASSWORD/MESSAGE:code-83",
      "NAME/PASSWORD/truncated",
      "NAME/PASSWORD/end",
    ]
  `);
});

test.each(tests.map((one) => [one.id, one] as const))('without a socket: %s', async (_, one) => {
  const kept: string[] = [];
  const log = memoryLog((name, messages) => {
    kept.push(...messages.map((message) => `${name}: ${message}`));
    return messages.length;
  });
  const dial = memoryServer(messageLog, messageLogHandlers({ log }));
  expect(await hold(projection, one, dial)).toBeUndefined();
  // Nothing reaches the log but what was accepted.
  const accepted = acceptedBy(projection, [one], 'MESSAGE');
  expect(kept).toEqual(accepted.map(() => 'ann: hello'));
});
