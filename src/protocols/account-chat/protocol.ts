import { defineProtocol, type RemoteError } from '../../index.ts';
import { ends, frame, is, not, padded, secret, such, u8 } from '../../transport/fields/index.ts';
import { accountChatMachine } from './machine.ts';

/** Bytes of text in an err or suc frame at most. */
export const OUTCOME_SIZE = 256;

const username = padded(16);
const credentials = { username, password: secret(padded(64)) };
const content = padded(512);
const outcome = padded(OUTCOME_SIZE);
/** A list that ends so goes on in the next frame. */
const continues = ends(',');

const err = (message: string) => ({ type: 'server.ERR', message }) as const;

/**
 * account-chat on the wire: a code byte, then fields of fixed size, ASCII padded with NUL. A violation and a field
 * that is not ASCII get an err and the connection goes on; a code that is none of the client's gets an err and ends
 * it, since nobody knows how long its frame is.
 */
export const accountChat = defineProtocol({
  name: 'account-chat',
  port: 5000,
  machine: accountChatMachine,
  frames: {
    'client.REG': frame(is(u8(), 0), { ...credentials }),
    'client.LOG': frame(is(u8(), 1), { ...credentials }),
    'client.DEL': frame(is(u8(), 2)),
    'client.ACD': frame(is(u8(), 3)),
    'client.ACF': frame(is(u8(), 4), { wildcard: padded(16) }),
    'client.MSG': frame(is(u8(), 5), { toUsername: username, content }),
    'server.ERR': frame(is(u8(), 6), { message: padded(OUTCOME_SIZE) }),
    'server.PART': frame(is(u8(), 7), { message: such(outcome, continues, 'ann, bob,') }),
    'server.SUC': frame(is(u8(), 7), { message: such(outcome, not(continues)) }),
    'server.NMS': frame(is(u8(), 8), { fromUsername: username, content }),
  },
  violation: { reply: ({ received }) => err(outOfOrder(received)), closes: false },
  malformed: { reply: (error) => err(`Not accepted: ${expectation(error)}.`), closes: false },
  unreadable: { reply: ({ received }) => err(`No request begins so: ${received}.`) },
  timeout: () => err('Nothing was heard for too long.'),
  failure: () => err('The server failed.'),
  samples: (unique) => {
    const account = (letter: string) => ({ username: `${letter}${unique}`, password: 'a long walk' });
    const register = (letter: string) => ({ type: 'client.REG', ...account(letter) }) as const;
    const login = (letter: string) => ({ type: 'client.LOG', ...account(letter) }) as const;
    const message = (toUsername: string) => ({ type: 'client.MSG', toUsername, content: 'hello' }) as const;
    const forgotten = (letter: string) =>
      ({ leaves: 'an account', cleanup: [login(letter), { type: 'client.DEL' }] }) as const;
    return {
      messages: {
        REG: { message: register('r'), answer: 'server.SUC', ...forgotten('r') },
        'REG/taken': { before: [register('t')], message: register('t'), answer: 'server.ERR' },
        'REG/no-name': { message: { ...register('r'), username: '' }, answer: 'server.ERR' },
        'REG/no-password': { message: { ...register('p'), password: '' }, answer: 'server.ERR' },
        'REG/comma': { message: register(','), answer: 'server.ERR' },
        'REG/space': { message: register(' '), answer: 'server.ERR' },
        LOG: { before: [register('l')], message: login('l'), answer: 'server.SUC', ...forgotten('l') },
        'LOG/unknown': { message: login('u'), answer: 'server.ERR' },
        'LOG/wrong-password': {
          before: [register('w')],
          message: { ...login('w'), password: 'a long wait' },
          answer: 'server.ERR',
        },
        'LOG/elsewhere': {
          before: [register('e'), login('e')],
          message: login('e'),
          answer: 'server.ERR',
        },
        'LOG/no-name': { message: { ...login('l'), username: '' }, answer: 'server.ERR' },
        'LOG/no-password': { message: { ...login('l'), password: '' }, answer: 'server.ERR' },
        DEL: { message: { type: 'client.DEL' }, answer: 'server.SUC' },
        ACD: { message: { type: 'client.ACD' }, answer: 'server.SUC' },
        ACF: { message: { type: 'client.ACF', wildcard: `?${unique}` }, answer: 'server.SUC' },
        'ACF/nobody': { message: { type: 'client.ACF', wildcard: '' }, answer: 'server.SUC' },
        MSG: { before: [register('m')], message: message(`m${unique}`), answer: 'server.SUC' },
        'MSG/unknown': { message: message(`n${unique}`), answer: 'server.ERR' },
        'MSG/nobody': { message: message(''), answer: 'server.ERR' },
      },
      malformed: {
        'unknown/09': Uint8Array.of(9),
        'unknown/ff': Uint8Array.of(0xff),
        'REG/not-ascii-name': notAscii(0, 81, 1),
        'REG/not-ascii-password': notAscii(0, 81, 80),
        'LOG/not-ascii': notAscii(1, 81, 16),
        'ACF/not-ascii': notAscii(4, 17, 1),
        'MSG/not-ascii': notAscii(5, 529, 17),
      },
    };
  },
});

function outOfOrder(received: string): string {
  return received === 'client.LOG' ? 'Already logged in.' : 'Not authenticated.';
}

function expectation({ received, expected }: RemoteError): string {
  return `${received.slice(received.indexOf('.') + 1)} expected ${expected.join(' or ')}`;
}

/** A client's frame of letters, but for one byte. */
function notAscii(code: number, size: number, at: number): Uint8Array {
  const bytes = new Uint8Array(size).fill(0x61);
  bytes[0] = code;
  bytes[at] = 0xe9;
  return bytes;
}
