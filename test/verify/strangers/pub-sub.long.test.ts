import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { conformanceSuite } from '../../../src/verify/conformance.ts';
import { textReport } from '../../../src/verify/report/text.ts';
import { findingsOf } from '../../../src/verify/report/words.ts';
import { type VerifyOptions, verify } from '../../../src/verify/verify.ts';
import { pubSub, servePubSub, type Wrong } from './pub-sub.ts';

async function verified(wrong: Wrong = {}, options: Partial<VerifyOptions> = {}) {
  const server = await servePubSub(wrong);
  const verification = await verify(pubSub, {
    host: '127.0.0.1',
    port: server.port,
    k: 0,
    sweep: false,
    ...options,
  });
  await server.close();
  return { verification, findings: findingsOf(verification), text: textReport(verification) };
}

test('a server that speaks first, 20 ms late, is never provoked, and passes', async () => {
  const { verification, text } = await verified({}, { sweep: true });
  expect(verification.verdict).toBe('conforms');
  // The ERROR of one who speaks too soon came only as a refusal; the timeout's state is entered by none.
  expect(verification.unseen).toEqual({ states: [], messages: [] });
  expect(text).not.toContain('Never');
});

test('it passes its suite too', async () => {
  const server = await servePubSub();
  for (const { run } of conformanceSuite(pubSub, { port: server.port, k: 0, sweep: false })) await run();
  await server.close();
});

describe('what samples say must come', () => {
  test.each<[string, Wrong, RegExp]>([
    ['delivered twice', { delivers: 2 }, /DELIVER was delivered once more than it should/],
    [
      'foreign content',
      { payload: () => Buffer.from('other') },
      /DELIVER was delivered: payload must be "hello/,
    ],
    ['nothing is ever delivered', { delivers: 0 }, /DELIVER was never delivered/],
    ['a wrong id', { idOf: (id) => id + 1 }, /id 7 must come back, and 8 did/],
    ['too few codes', { codes: (count) => count - 1 }, /codes must be as many as filters, 3, and are 2/],
  ])('%s is a finding', async (_, wrong, rule) => {
    const { verification, findings } = await verified(wrong);
    expect(verification.verdict).toBe('faults');
    expect(findings.map((finding) => finding.rule).join('\n')).toMatch(rule);
  });
});

test('what never came is named', async () => {
  const { verification, text } = await verified({ delivers: 0 });
  expect(verification.unseen.messages).toEqual(['server.DELIVER']);
  expect(text).toContain('Never received: DELIVER.\nOf what was never seen nothing is said here.');
});

test.each([9, 77])(
  'a back door on code %d in every state is one finding, and a raw socket shows it',
  async (code) => {
    const server = await servePubSub({ backDoor: code });
    const verification = await verify(pubSub, { host: '127.0.0.1', port: server.port, k: 0 });
    const findings = findingsOf(verification);
    expect(findings.map(({ rule }) => rule).join('\n')).toContain(
      `code:${code.toString(16).padStart(2, '0')} was accepted in idle; only PUBLISH or SUBSCRIBE may come`,
    );
    expect(findings).toHaveLength(1);
    const said = await new Promise<string>((resolve) => {
      const socket = connect(server.port, '127.0.0.1');
      let heard = '';
      socket.on('data', (bytes) => {
        heard += bytes.toString('hex');
        if (heard === '10') socket.write(Buffer.of(code));
        else socket.destroy();
      });
      socket.on('close', () => resolve(heard));
    });
    expect(said).toBe('101200');
    await server.close();
  },
);

describe('a server that stops answering is one finding, with the dialogue that did it', () => {
  test.each<[string, Wrong, RegExp]>([
    ['hangs', { stopsAt: 0xfe }, /^The server stopped answering after code:fe/],
    [
      'drips',
      { stopsAt: 0xfe, drips: true },
      /^The server (stopped answering|dripped bytes past the time limit) after code:fe/,
    ],
  ])('%s', { timeout: 60_000 }, async (_, wrong, rule) => {
    const { verification, findings } = await verified(wrong, { sweep: true, concurrency: 1, timeout: 150 });
    expect(findings.map((finding) => finding.rule)).toEqual([expect.stringMatching(rule)]);
    expect(verification.reason).toMatch(/of the rest nothing was seen, and nothing is claimed/);
  });

  test('brought back, the run goes on to its end', { timeout: 60_000 }, async () => {
    const server = await servePubSub({ stopsAt: 0xfe });
    let restarts = 0;
    const verification = await verify(pubSub, {
      host: '127.0.0.1',
      port: server.port,
      k: 0,
      timeout: 150,
      restart: async () => {
        restarts++;
        server.revive();
      },
    });
    await server.close();
    const findings = findingsOf(verification);
    expect(findings[0]?.rule).toMatch(
      /stopped answering after code:fe.*, and again when it was brought back/,
    );
    expect(findings.filter(({ rule }) => !/stopped answering after code:fe/.test(rule))).toEqual([]);
    expect(restarts).toBeGreaterThanOrEqual(2);
    const { plan, passed, failed, blocked } = verification;
    const fatal = findings.length;
    expect(failed).toEqual([]);
    expect(passed.length + blocked.length).toBeGreaterThanOrEqual((plan?.tests ?? 0) - fatal);
    expect(verification.reason).toBeUndefined();
  });
});

test('a known deviation is waived, and one that is gone is said', async () => {
  const waivers = [
    { finding: 'SUBSCRIBE', reason: 'codes are optional there' },
    { finding: 'PUBLISH/*', reason: 'long gone' },
  ];
  const { verification, text } = await verified({ codes: (count) => count - 1 }, { waivers });
  expect(verification.verdict).toBe('conforms');
  expect(text).toContain('WAIVED');
  expect(text).toContain('waived, and does not occur any more: PUBLISH/*');
});
