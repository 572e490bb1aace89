import type { Samples } from 'wirechart';
import { Content } from 'wirechart/fields';
import type { smtpFrames } from './frames.ts';

const NO = 'server.NO';
const OK = 'server.OK';
/** Whether one must log in first is the server's choice (RFC 4954, 6: 530). */
const mailing = { guest: [OK, NO], '': OK } as const;
/** A second one may be refused (RFC 5321, 4.1.4: if it is acceptable to the server). */
const greeting = { fresh: OK, '': [OK, NO] } as const;
/** Before EHLO it should be taken (4.1.4), and need not. */
const early = { fresh: [OK, NO], '': OK } as const;
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** What to try a server with that has a user `ann` with the password `sesame`, and no certificate. */
export function smtpSamples(unique: string): Samples<typeof smtpFrames> {
  const mail = `From: <ann@example.org>\r\nSubject: ${unique}\r\n\r\n..\r\n.\r\na dot stood there\r\n`;
  return {
    greeting: 'server.READY',
    messages: {
      EHLO: { message: { type: 'client.EHLO', name: 'localhost' }, answer: greeting },
      HELO: { message: { type: 'client.HELO', name: 'localhost' }, answer: greeting },
      AUTH: {
        message: { type: 'client.AUTH', rest: `PLAIN ${base64('\0ann\0sesame')}` },
        answer: 'server.AUTHENTICATED',
      },
      'AUTH/later': { message: { type: 'client.AUTH', rest: 'PLAIN' }, answer: 'server.CHALLENGE' },
      'AUTH/wrong': { message: { type: 'client.AUTH', rest: `PLAIN ${base64('\0ann\0x')}` }, answer: NO },
      'AUTH/no-base64': { message: { type: 'client.AUTH', rest: 'PLAIN *' }, answer: NO },
      'AUTH/unknown': { message: { type: 'client.AUTH', rest: 'XYZZY' }, answer: NO },
      RESPONSE: {
        message: { type: 'client.RESPONSE', text: base64('\0ann\0sesame') },
        answer: 'server.AUTHENTICATED',
      },
      'RESPONSE/wrong': { message: { type: 'client.RESPONSE', text: base64('\0ann\0x') }, answer: NO },
      'RESPONSE/given-up': { message: { type: 'client.RESPONSE', text: '*' }, answer: NO },
      MAIL: { message: { type: 'client.MAIL', rest: 'FROM:<ann@example.org>' }, answer: mailing },
      // RFC 5321, 4.5.5
      'MAIL/notice': { message: { type: 'client.MAIL', rest: 'FROM:<>' }, answer: mailing },
      RCPT: { message: { type: 'client.RCPT', rest: 'TO:<ann@localhost>' }, answer: OK },
      // RFC 5321, 4.5.1
      'RCPT/postmaster': { message: { type: 'client.RCPT', rest: 'TO:<Postmaster>' }, answer: OK },
      DATA: { message: { type: 'client.DATA', rest: '' }, answer: 'server.GO_AHEAD' },
      CONTENT: {
        message: { type: 'client.CONTENT', content: Content.of(Buffer.from(mail)) },
        answer: OK,
        leaves: 'a mail to ann@localhost',
      },
      RSET: { message: { type: 'client.RSET', rest: '' }, answer: early },
      NOOP: { message: { type: 'client.NOOP', rest: '' }, answer: early },
      // 4.1.1.9: a parameter should be ignored, and need not.
      'NOOP/words': { message: { type: 'client.NOOP', rest: 'are you there' }, answer: [OK, NO] },
      // RFC 5321, 3.5.3 and 7.3: whether it is told is the server's choice.
      VRFY: { message: { type: 'client.VRFY', rest: 'ann' }, answer: [OK, NO] },
      STARTTLS: { message: { type: 'client.STARTTLS', rest: '' }, answer: [NO, 'server.LATER'] },
      QUIT: { message: { type: 'client.QUIT', rest: '' }, answer: 'server.BYE' },
      UNKNOWN: { message: { type: 'client.UNKNOWN', text: 'XYZZY one two' }, answer: NO },
    },
    malformed: {
      'EHLO/nobody': Buffer.from('EHLO\r\n'),
      'MAIL/no-path': Buffer.from('MAIL FROM:\r\n'),
      'MAIL/no-from': Buffer.from('MAIL ann@example.org\r\n'),
      'RCPT/no-path': Buffer.from('RCPT TO:\r\n'),
      'RCPT/nobody': Buffer.from('RCPT TO:<>\r\n'),
    },
  };
}
