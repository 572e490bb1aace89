import { defineProtocol } from '../../index.ts';
import { bytes, frame, is, secret, u8 } from '../../transport/fields/index.ts';
import { messageLogMachine } from './machine.ts';

const ascii = (text: string) => Buffer.from(text, 'latin1');
const reject = () => ({ type: 'server.REJECT' }) as const;

/**
 * message-log on the wire: `u8 code | u16 length, little-endian | payload` from the client, one byte for each
 * transaction from the server. CLOSE is its code alone, complete at the first byte. Every refusal is 0xff,
 * then closed.
 */
export const messageLog = defineProtocol({
  name: 'message-log',
  port: 5555,
  machine: messageLogMachine,
  frames: {
    'client.NAME': frame(is(u8(), 1), { payload: bytes('u16le', { min: 1 }) }),
    'client.PASSWORD': frame(is(u8(), 2), { payload: secret(bytes('u16le', { min: 1 })) }),
    'client.MESSAGE': frame(is(u8(), 3), { payload: bytes('u16le', { min: 1 }) }),
    'client.CLOSE': frame(is(u8(), 4)),
    'server.ACCEPT': frame(is(u8(), 0x00)),
    'server.REJECT': frame(is(u8(), 0xff)),
  },
  violation: { reply: reject, closes: true },
  malformed: { reply: reject, closes: true },
  unreadable: { reply: reject },
  failure: reject,
  pipelinedReply: 'server.ACCEPT',
  samples: () => ({
    messages: {
      NAME: { message: { type: 'client.NAME', payload: ascii('ann') }, answer: 'server.ACCEPT' },
      'NAME/leading-nul': {
        message: { type: 'client.NAME', payload: ascii('\0ann') },
        answer: 'server.REJECT',
      },
      PASSWORD: { message: { type: 'client.PASSWORD', payload: ascii('A') }, answer: 'server.ACCEPT' },
      'PASSWORD/refused': {
        message: { type: 'client.PASSWORD', payload: ascii('BAAA') },
        answer: 'server.REJECT',
      },
      MESSAGE: {
        message: { type: 'client.MESSAGE', payload: ascii('hello') },
        answer: 'server.ACCEPT',
        leaves: 'a record in the log',
      },
      CLOSE: { message: { type: 'client.CLOSE' }, answer: 'server.ACCEPT' },
    },
    malformed: {
      // Refused at the first byte: nothing behind it is awaited.
      'unknown/05': Uint8Array.of(5),
      'unknown/fe': Uint8Array.of(0xfe),
      'NAME/empty': Uint8Array.of(1, 0, 0),
      'PASSWORD/empty': Uint8Array.of(2, 0, 0),
      'MESSAGE/empty': Uint8Array.of(3, 0, 0),
    },
  }),
});
