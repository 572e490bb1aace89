import { defineProtocol, type RemoteError } from '../../core.ts';
import { frame, is, text, u8, u16be } from '../../transport/fields/index.ts';
import { basicChatMachine } from './machine.ts';
import { StatusFraming } from './status-framing.ts';

/** Most bytes of a name, a message, a reason. */
export const LONGEST_STRING = 4095;

/** Servers throw out who is silent for a minute: milliseconds from one sign of life to the next. */
export const KEEP_ALIVE = 20_000;
/**
 * A SEND of nothing that a room carries: by the document it gets an error STATUS, is delivered to nobody and ends
 * nothing, and the protocol has no other message that a client may send at any time. Not empty: a program that asks its
 * socket for no bytes takes the answer for the end.
 */
export const SIGN_OF_LIFE = { type: 'client.SEND', message: '\0' } as const;

const string = () => text('u16be', { max: LONGEST_STRING, encoding: 'latin1' });
const refuse = (message: string) => ({ type: 'server.REFUSE', code: 1, message }) as const;

/** `client.SEND` in words for the peer: SEND. */
const bare = (type: string) => type.replace(/^client\./, '');
const reason = ({ received, expected }: RemoteError) =>
  refuse(`Received ${bare(received)}, expected ${expected.map(bare).join(' or ') || 'nothing'}.`);

/**
 * basic-chat on the wire: `u8 kind`, then `u8 code` in a STATUS, then strings behind their length, big-endian.
 *
 * The server's STATUS is two messages of the machine: OK (code 0) and REFUSE (any other). The client's is one,
 * complete after its code, since the common Python client leaves out the string: a next byte of 0 begins a
 * string's length (so the string has at most 255 bytes), any other the next message.
 */
export const basicChat = defineProtocol({
  name: 'basic-chat',
  port: 9001,
  machine: basicChatMachine,
  frames: {
    'client.REGISTER': frame(is(u8(), 1), { username: string() }),
    'client.SEND': frame(is(u8(), 2), { message: string() }),
    // Read without its string: see StatusFraming.
    'client.STATUS': frame(is(u8(), 4), { code: u8() }, is(u16be(), 0)),
    'server.DELIVER': frame(is(u8(), 3), { from: string(), message: string() }),
    'server.OK': frame(is(u8(), 4), is(u8(), 0), { message: string() }),
    'server.REFUSE': frame(is(u8(), 4), { code: u8({ min: 1 }), message: string() }),
  },
  framing: { client: (decoder) => new StatusFraming(decoder) },
  violation: { reply: reason, closes: true },
  malformed: { reply: reason, closes: true },
  unreadable: { reply: reason },
  timeout: () => refuse('Disconnected for inactivity.'),
  failure: () => refuse('The server failed.'),
  samples: (unique) => ({
    messages: {
      REGISTER: {
        message: { type: 'client.REGISTER', username: unique },
        answer: 'server.OK',
        pushes: ['server.DELIVER'],
      },
      'REGISTER/taken': {
        before: [{ type: 'client.REGISTER', username: unique }],
        message: { type: 'client.REGISTER', username: unique },
        answer: 'server.REFUSE',
      },
      'REGISTER/empty': { message: { type: 'client.REGISTER', username: '' }, answer: 'server.REFUSE' },
      'REGISTER/space': {
        message: { type: 'client.REGISTER', username: `a ${unique}` },
        answer: 'server.REFUSE',
      },
      'REGISTER/reserved': {
        message: { type: 'client.REGISTER', username: '[sErVeR]' },
        answer: 'server.REFUSE',
      },
      SEND: { message: { type: 'client.SEND', message: 'hello' }, answer: 'server.OK' },
      'SEND/nothing-printable': {
        message: { type: 'client.SEND', message: '\0\x1b\xff' },
        answer: 'server.REFUSE',
      },
      STATUS: { message: { type: 'client.STATUS', code: 0 } },
    },
    malformed: {
      'unknown/05': Uint8Array.of(5),
      'unknown/ff': Uint8Array.of(0xff),
      'REGISTER/too-long': Uint8Array.of(1, 0x10, 0x00),
      'SEND/too-long': Uint8Array.of(2, 0xff, 0xff),
    },
  }),
});
