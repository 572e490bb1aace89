import { bytes, secret, tag } from '../../transport/field.ts';
import { frame } from '../../transport/frame.ts';
import { defineProtocol } from '../../transport/protocol.ts';
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
    'client.NAME': frame({ code: tag(1), payload: bytes('u16le', { min: 1 }) }),
    'client.PASSWORD': frame({ code: tag(2), payload: secret(bytes('u16le', { min: 1 })) }),
    'client.MESSAGE': frame({ code: tag(3), payload: bytes('u16le', { min: 1 }) }),
    'client.CLOSE': frame({ code: tag(4) }),
    'server.ACCEPT': frame({ status: tag(0x00) }),
    'server.REJECT': frame({ status: tag(0xff) }),
  },
  violation: { reply: reject, closes: true },
  malformed: { reply: reject, closes: true },
  unreadable: { reply: reject },
  failure: reject,
  hoped: 'server.ACCEPT',
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
      MESSAGE: { message: { type: 'client.MESSAGE', payload: ascii('hello') }, answer: 'server.ACCEPT' },
      CLOSE: { message: { type: 'client.CLOSE' }, answer: 'server.ACCEPT' },
    },
    malformed: {
      'NAME/empty': Uint8Array.of(1, 0, 0),
      'PASSWORD/empty': Uint8Array.of(2, 0, 0),
      'MESSAGE/empty': Uint8Array.of(3, 0, 0),
    },
  }),
});
