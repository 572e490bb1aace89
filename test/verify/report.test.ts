import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { beforeAll, describe, expect, test } from 'vitest';
import { create } from 'xmlbuilder2';
import { basicChat } from '../../src/protocols/basic-chat/protocol.ts';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { htmlReport } from '../../src/verify/report/html.ts';
import { jsonReport } from '../../src/verify/report/json.ts';
import { junitReport } from '../../src/verify/report/junit.ts';
import { tapReport } from '../../src/verify/report/tap.ts';
import { textReport } from '../../src/verify/report/text.ts';
import { withSamples } from '../../src/verify/samples.ts';
import { stateValue } from '../../src/verify/state-value.ts';
import { type Verification, verify } from '../../src/verify/verify.ts';
import { faultyServers } from './faulty/faults.ts';
import { listen } from './faulty/reference.ts';

const SECRET = 'Enigma-4711';

async function run(id?: string): Promise<Verification> {
  const server = await listen(faultyServers.find((faulty) => faulty.id === id)?.fault);
  const verification = await verify(messageLog, {
    host: '127.0.0.1',
    port: server.port,
    k: 1,
    sweep: false,
    samples: withSamples(messageLog, { PASSWORD: { payload: SECRET } }),
  });
  await server.close();
  return verification;
}

let right: Verification;
let wrong: Verification;
let closing: Verification;
beforeAll(async () => {
  [right, wrong, closing] = await Promise.all([run(), run('rename-after-message'), run('end-with-reset')]);
});

test('the text names what was sent, what should have come, the clause, and how to see it again', () => {
  const { port } = wrong.address;
  const lines = textReport(wrong, { extra: ' --samples s.json' }).split('\n');
  expect(lines.slice(0, 17)).toEqual([
    'MUST  NAME was accepted in M.awaiting; only CLOSE or MESSAGE may come',
    '  NAME/PASSWORD/MESSAGE/NAME',
    '    > 01 03 00 61 6e 6e   NAME payload "ann"',
    '    < ACCEPT',
    '    > 02 (13 bytes not shown: a secret)   PASSWORD payload (not shown)',
    '    < ACCEPT',
    '    > 03 05 00 68 65 6c 6c 6f   MESSAGE payload "hello"',
    '    < ACCEPT',
    '    > 01 03 00 61 6e 6e   NAME payload "ann"',
    '    < ACCEPT',
    '  expected REJECT, closes',
    '  received ACCEPT',
    '  clause   M: code 3, payload 1..65535 bytes, any bytes; 0x00 once it is on the log, stay in M',
    '  also at  NAME/PASSWORD/MESSAGE/NAME:leading-nul',
    '  seen in  2 tests',
    `  replay   wirechart verify message-log 127.0.0.1:${port} --samples s.json --case NAME/PASSWORD/MESSAGE/NAME`,
    '',
  ]);
  expect(textReport(wrong)).toMatch(/does not conform to message-log: \d faults?\n70 tests, k = 1: /);
});

test('the text of a pass states the guarantee and its premises', () => {
  expect(textReport(right)).toMatch(
    /conforms to message-log\n70 tests, k = 1: 70 passed, 0 failed, .* s\nThis excludes every fault in deterministic implementations whose hidden states lie within 1 frame of a declared state, provided that answers are deterministic, connecting again is a reset, inputs of one class are treated alike\.\n$/,
  );
});

test('what the declaration says that it does not check, the report says too', async () => {
  const unchecked = ['that a name is its owner’s'];
  const lax = { ...right, protocol: { ...right.protocol, unchecked } };
  const words = 'Not checked: that a name is its owner’s.';
  expect(textReport(lax).split('\n')).toContain(words);
  expect(await htmlReport(lax)).toContain(words);
  expect(jsonReport(lax)).toMatchObject({ unchecked });
  const unseen = { states: ['M.judging'], messages: ['server.REJECT'] };
  for (const report of [textReport, tapReport, junitReport])
    expect(report({ ...lax, unseen })).toMatch(
      /Never entered: M\.judging\.\n(?:# )?Never received: REJECT\.\n[\s\S]*Not checked: that a name/,
    );
  expect(textReport(right)).not.toContain('Not checked');
});

test('a reset in place of the end is a warning', () => {
  expect(closing.verdict).toBe('conforms');
  expect(textReport(closing)).toContain(
    'SHOULD  After the end of the stream in N.awaiting the connection must be closed properly, and it was reset\n  end\n',
  );
  expect(textReport(closing)).toContain('conforms to message-log, with 1 warning\n');
});

test('JUnit counts what it lists', () => {
  const xml = junitReport(wrong);
  const suite = create(xml).root().first();
  const cases = suite.filter((node) => 'tagName' in node.node && node.node.tagName === 'testcase');
  expect(xml).toContain(`<testsuite name="verify.message-log" tests="70" failures="${wrong.failed.length}"`);
  expect(cases).toHaveLength(70);
  expect(xml.match(/<failure type="fault"/g)).toHaveLength(wrong.failed.length);
  expect(junitReport(right)).not.toContain('<failure');
});

test('TAP numbers every test', () => {
  const lines = tapReport(wrong).split('\n');
  expect(lines.slice(0, 2)).toEqual(['TAP version 14', '1..70']);
  expect(lines.filter((line) => /^(not )?ok \d+ - /.test(line))).toHaveLength(70);
  expect(lines.filter((line) => line.startsWith('not ok '))).toHaveLength(wrong.failed.length);
});

test('JSON holds the verdict, the findings and the coverage', () => {
  const json = JSON.parse(JSON.stringify(jsonReport(wrong)));
  const schema = readFileSync(
    new URL('../../docs/schemas/verify-report.schema.json', import.meta.url),
    'utf8',
  );
  const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
  ajv.validate(JSON.parse(schema), json);
  expect(ajv.errors).toBeNull();
  expect(json).toMatchObject({ protocol: 'message-log', verdict: 'faults', suite: { k: 1, tests: 70 } });
  expect(json.findings[0]).toMatchObject({ id: 'NAME/PASSWORD/MESSAGE/NAME', severity: 'MUST' });
  expect(json.coverage['M.awaiting'].NAME).toBe('failed');
  expect(json.coverage['P.awaiting'].NAME).toBe('passed');
});

test('HTML draws where the tests went, and marks what failed', async () => {
  const html = await htmlReport(wrong);
  expect(html).toMatch(/^<!doctype html>\n<html lang="en">/);
  expect(html).not.toMatch(/(src|href)="http/);
  expect(html).toContain('<svg');
  expect(html).toMatch(/class="state[^"]*failed"[^>]*data-state="M\.awaiting"/);
  expect(html).toMatch(/class="edge[^"]*passed"[^>]*data-edge="P\.awaiting:client\.PASSWORD"/);
  expect(html).toContain('does not conform to message-log');
});

test('no report holds the secret', async () => {
  for (const run of [right, wrong, closing]) {
    const reports = [textReport(run), junitReport(run), tapReport(run), await htmlReport(run)];
    reports.push(JSON.stringify(jsonReport(run)));
    const hex = Buffer.from(SECRET).toString('hex');
    for (const report of reports) {
      expect(report).not.toContain(SECRET);
      expect(report.replaceAll(' ', '')).not.toContain(hex);
    }
  }
});

test.each([
  ['N.awaiting', { N: 'awaiting' }],
  ['closed', 'closed'],
  ['r(a.b, c)', { r: { a: 'b', c: {} } }],
  ['r(a(x.y, z), c.d)', { r: { a: { x: 'y', z: {} }, c: 'd' } }],
])('the state %s of a table is a state value', (name, value) => {
  expect(stateValue(name)).toEqual(value);
});

describe('samples from a file', () => {
  test('text, bytes in hex, a text that is always new, and one left out', () => {
    const samples = withSamples(basicChat, {
      REGISTER: { username: 'bot-$unique' },
      SEND: { message: { hex: '68c3' } },
      'REGISTER/reserved': null,
      'REGISTER/known': { type: 'client.REGISTER', username: 'root', answer: 'server.REFUSE' },
    });
    const { messages } = samples('x7');
    expect(messages['REGISTER']).toMatchObject({ message: { username: 'bot-x7' }, answer: 'server.OK' });
    expect(messages['SEND']?.message).toEqual({ type: 'client.SEND', message: 'hÃ' });
    expect(messages['REGISTER/known']).toEqual({
      message: { type: 'client.REGISTER', username: 'root' },
      answer: 'server.REFUSE',
    });
    expect(messages).not.toHaveProperty(['REGISTER/reserved']);
  });

  test.each([
    [[], 'samples are an object'],
    [{ NAME: { colour: 'red' } }, 'sample NAME: client.NAME has no field colour'],
    [{ HELLO: { payload: 'x' } }, 'sample HELLO: expected a type of client.NAME, client.PASSWORD'],
    [{ NAME: { payload: { hex: '0' } } }, 'sample NAME: payload: expected a text, a number or'],
    [{ NAME: { payload: '' } }, 'sample NAME: expected u16le length, then 1..65535 bytes, got 0 bytes'],
    [{ NAME: 'ann' }, 'sample NAME: expected fields, or null'],
  ])('%j is refused', (changes, reason) => {
    expect(() => withSamples(messageLog, changes)).toThrow(reason);
  });
});
