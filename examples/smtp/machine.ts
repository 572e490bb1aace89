import { setup } from 'xstate';
import type { smtpFrames } from './frames.ts';

type Event = `transport.${'accept' | 'end' | 'timeout'}` | keyof typeof smtpFrames;
type Who = 'guest' | 'user';
type To = Readonly<Record<string, string>>;

/** The server owes one of `answers`, or a refusal, after which all is as before. */
const owes = (answers: To) => ({
  tags: 'server' as const,
  on: { 'server.NO': 'awaiting', 'server.LATER': 'awaiting', ...answers },
});

/** What may be said at any time (RFC 5321, 4.1.4), and what may be said here. */
const place = (who: Who, reset: string, on: To = {}, owed: Readonly<Record<string, object>> = {}) => ({
  initial: 'awaiting',
  states: {
    awaiting: {
      tags: 'client' as const,
      on: {
        ...{ 'client.EHLO': 'greeting', 'client.HELO': 'greeting', 'client.RSET': 'resetting' },
        ...{ 'client.NOOP': 'answering', 'client.VRFY': 'answering', 'client.STARTTLS': 'securing' },
        ...{ 'client.QUIT': '#leaving', 'client.UNKNOWN': 'refusing', ...on },
      },
    },
    greeting: owes({ 'server.OK': `#${who}` }),
    resetting: owes({ 'server.OK': reset }),
    answering: owes({ 'server.OK': 'awaiting' }),
    // Behind it all is forgotten (RFC 3207, 4.2).
    securing: owes({ 'server.READY': '#fresh' }),
    refusing: { tags: 'server' as const, on: { 'server.NO': 'awaiting' } },
    ...owed,
  },
});

/** The mails of somebody: who has said EHLO, or who has also logged in. */
const mails = (who: Who, on: To = {}, owed: Readonly<Record<string, object>> = {}) => {
  const back = `#${who}`;
  const naming = { naming: owes({ 'server.OK': `${back}.recipients` }) };
  const done = { 'server.OK': back, 'server.NO': back, 'server.LATER': back };
  return {
    id: who,
    initial: 'ready',
    states: {
      ready: place(
        who,
        back,
        { 'client.MAIL': 'opening', ...on },
        { opening: owes({ 'server.OK': `${back}.sender` }), ...owed },
      ),
      sender: place(who, back, { 'client.RCPT': 'naming' }, naming),
      recipients: place(
        who,
        back,
        { 'client.RCPT': 'naming', 'client.DATA': 'asking' },
        {
          ...{ ...naming, asking: owes({ 'server.GO_AHEAD': 'content' }) },
          content: { tags: 'client', on: { 'client.CONTENT': 'delivering' } },
          delivering: { tags: 'server', on: done },
        },
      ),
    },
  };
};

const login = owes({ 'server.AUTHENTICATED': '#user', 'server.CHALLENGE': 'challenged' });
const challenged = { tags: 'client', on: { 'client.RESPONSE': 'judging' } };

export const smtpMachine = setup({
  types: { events: {} as { type: Event }, tags: {} as 'client' | 'server' },
}).createMachine({
  id: 'smtp',
  description: 'A greeting, then mails: one sender, recipients, content.',
  initial: 'connecting',
  on: { 'transport.end': '.closed', 'transport.timeout': '.closed', 'server.CLOSING': '.closed' },
  states: {
    connecting: { on: { 'transport.accept': 'welcoming' } },
    welcoming: { tags: 'server', on: { 'server.READY': 'fresh', 'server.NO': 'closed' } },
    fresh: { id: 'fresh', ...place('guest', 'awaiting') },
    guest: mails('guest', { 'client.AUTH': 'judging' }, { judging: login, challenged }),
    user: mails('user'),
    leaving: { id: 'leaving', tags: 'server', on: { 'server.BYE': 'closed' } },
    closed: { type: 'final' },
  },
});
