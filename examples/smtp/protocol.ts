import { defineProtocol, type RemoteError } from 'wirechart';
import { smtpFrames } from './frames.ts';
import { smtpMachine } from './machine.ts';
import { smtpSamples } from './samples.ts';

const no = (code: number, text: string) => ({ type: 'server.NO', reply: { code, lines: [text] } }) as const;
const closing = (text: string) => ({ type: 'server.CLOSING', reply: { code: 421, lines: [text] } }) as const;

export const smtp = defineProtocol({
  name: 'smtp',
  port: 25,
  machine: smtpMachine,
  frames: smtpFrames,
  violation: { reply: ({ received }: RemoteError) => no(503, `not now: ${received}`), closes: false },
  malformed: { reply: () => no(501, 'that is not how it is said'), closes: false },
  unreadable: {
    reply: ({ fault }) =>
      no(500, fault?.kind === 'value' ? 'a line ends with CR LF' : 'the line is too long'),
  },
  timeout: () => closing('nothing was heard'),
  failure: () => closing('something broke here'),
  reads: {
    'guest.ready.challenged': ['client.RESPONSE'],
    'guest.recipients.content': ['client.CONTENT'],
    'user.recipients.content': ['client.CONTENT'],
  },
  upgrades: { 'client.STARTTLS': 'server.READY' },
  unchecked: [
    'which answers an AUTH asks for, and how many',
    'what an EHLO offers, and whether it is kept to',
    'all that comes behind a STARTTLS that is granted',
  ],
  samples: smtpSamples,
});
