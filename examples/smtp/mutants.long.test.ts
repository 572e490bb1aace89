import { expect, onTestFinished, test } from 'vitest';
import { defineProtocol, listen, type ServerMessage } from 'wirechart';
import { findingsOf, verify } from 'wirechart/verify';
import { createMachine } from 'xstate';
import { bending, type Mutant, testMutants } from '../field-report/mutants.ts';
import { freePort } from '../field-report/server.ts';
import { usersOf } from './credentials.ts';
import { smtpFrames } from './frames.ts';
import { smtpMachine } from './machine.ts';
import { postOffice } from './post-office.ts';
import { smtp } from './protocol.ts';
import { smtpServers } from './servers.ts';

const office = () =>
  postOffice({
    ...{ hostname: 'office.example', guests: true, isUser: usersOf(['ann:sesame']) },
    async deliver(_, content) {
      for await (const _piece of content);
    },
  });
const { instead, saying } = bending(smtp);
type Told = ServerMessage<typeof smtp>;
const say = <T extends Told['type']>(type: T, code: number) => ({ type, reply: { code, lines: ['said'] } });
const { name, port, violation, malformed, unreadable, samples } = smtp;
const reads = {
  'guest.ready.challenged': ['client.RESPONSE'],
  'guest.recipients.content': ['client.CONTENT'],
  'user.recipients.content': ['client.CONTENT'],
} as const;
const declared = {
  name,
  port,
  machine: smtpMachine,
  frames: smtpFrames,
  violation,
  malformed,
  unreadable,
  samples,
  reads,
};

/** A server whose order has another way out of a state, or one more. */
function order(path: string, event: string, target: string): Mutant<typeof smtpFrames> {
  const config = structuredClone(smtpMachine.config);
  const state = path
    .split('.')
    .reduce((node: object, child) => Reflect.get(Reflect.get(node, 'states'), child), config);
  Reflect.get(state, 'on')[event] = target;
  return { serves: defineProtocol({ ...declared, machine: createMachine(config) }) };
}

testMutants(
  { protocol: smtp, handlers: office },
  {
    'MAIL before EHLO': order('fresh.awaiting', 'client.MAIL', '#guest.ready.opening'),
    'RCPT without MAIL': order('guest.ready.awaiting', 'client.RCPT', '#guest.sender.naming'),
    'DATA without MAIL': order('user.ready.awaiting', 'client.DATA', '#user.recipients.asking'),
    'DATA without RCPT': order('guest.sender.awaiting', 'client.DATA', '#guest.recipients.asking'),
    'a second MAIL': order('guest.sender.awaiting', 'client.MAIL', '#guest.ready.opening'),
    'a second MAIL behind RCPT': order('user.recipients.awaiting', 'client.MAIL', '#user.ready.opening'),
    'AUTH before EHLO': order('fresh.awaiting', 'client.AUTH', '#guest.ready.judging'),
    'AUTH in a mail': order('guest.recipients.awaiting', 'client.AUTH', '#guest.ready.judging'),
    'a second AUTH': order('user.ready.awaiting', 'client.AUTH', '#guest.ready.judging'),
    'who fails to log in is logged in': order('guest.ready.judging', 'server.NO', '#user'),
    'RSET forgets no sender': order('guest.sender.resetting', 'server.OK', 'awaiting'),
    'RSET forgets no recipients': order('user.recipients.resetting', 'server.OK', 'awaiting'),
    'RSET logs out': order('user.ready.resetting', 'server.OK', '#guest'),
    'EHLO forgets no mail': order('guest.recipients.greeting', 'server.OK', 'awaiting'),
    'NOOP forgets a mail': order('guest.sender.answering', 'server.OK', '#guest'),
    'an unknown command forgets a mail': order('guest.recipients.refusing', 'server.NO', '#guest'),
    'a mail that is taken is not done with': order(
      'guest.recipients.delivering',
      'server.OK',
      '#guest.recipients',
    ),
    'QUIT ends nothing': order('leaving', 'server.BYE', '#fresh'),
    'what comes too early ends the connection': {
      serves: defineProtocol({ ...declared, violation: { ...violation, closes: true } }),
    },
    'what comes too early is passed over': {
      serves: defineProtocol({ ...declared, violation: { closes: false } }),
    },
    'what is malformed is accepted': {
      serves: defineProtocol({
        ...declared,
        malformed: { reply: () => say('server.OK', 250), closes: false },
      }),
    },
    'what is malformed ends the connection': {
      serves: defineProtocol({ ...declared, malformed: { ...malformed, closes: true } }),
    },
    'any password will do': { bent: instead('AUTH', () => say('server.AUTHENTICATED', 235)) },
    'any answer will do': { bent: instead('RESPONSE', () => say('server.AUTHENTICATED', 235)) },
    'NOOP is refused to users': {
      bent: instead('NOOP', (message, right, session) =>
        session.stateName.startsWith('user') ? say('server.NO', 502) : right(message),
      ),
    },
    'a mail is acknowledged twice': { bent: saying('CONTENT', (word) => [word, word]) },
    'VRFY ends the connection': {
      bent: instead('VRFY', (_, __, session) => {
        session.close();
        return undefined;
      }),
    },
    'a mail is acknowledged and lost': {
      bent: instead('CONTENT', () => say('server.OK', 250)),
      invisible: 'nobody looks into the mailbox',
    },
    'a recipient that is refused counts': {
      ...order('guest.sender.naming', 'server.NO', '#guest.recipients'),
      invisible: 'no recipient of the samples is refused',
    },
    'VRFY is unknown': {
      bent: saying('VRFY', () => [say('server.NO', 500)]),
      invisible: 'that a command is unknown, and that a mailbox is, are one message here',
    },
  },
);

test.each(
  smtpServers
    .filter((server) => server.version() !== undefined)
    .map((server) => [server.name, server] as const),
)('%s: every finding is judged', async (_, server) => {
  const where = { host: '127.0.0.1', port: await freePort() };
  const stop = await server.start(where.port);
  try {
    const verification = await verify(server.protocol, { ...server.options, ...where, k: 0, sweep: false });
    const judged = findingsOf(verification).map(({ rule }) =>
      server.verdicts.find((verdict) => verdict.rule.test(rule)),
    );
    expect(judged).not.toContain(undefined);
    expect(verification.flaky).toEqual([]);
    expect(verification.unseen.messages).not.toContain('server.GO_AHEAD');
  } finally {
    await stop();
  }
});

test('the office itself conforms', async () => {
  const server = await listen(smtp, office(), { host: '127.0.0.1', port: 0, lingerTimeout: 300 });
  onTestFinished(() => server.close());
  const verification = await verify(smtp, { host: '127.0.0.1', port: server.port, k: 0, sweep: false });
  expect([verification.verdict, verification.reason]).toEqual(['conforms', undefined]);
  expect(verification.unseen).toEqual({ states: [], messages: ['server.CLOSING', 'server.LATER'] });
});
