import { defineProtocol, type RemoteError } from 'wirechart';
import { frame, is, secret, text, u8 } from 'wirechart/fields';
import { thermostatMachine } from './machine.ts';

const no = (reason: string) => ({ type: 'server.NO', reason }) as const;
const refusal = ({ received, expected }: RemoteError) => no(`${received}? expected ${expected.join(' or ')}`);

export const thermostat = defineProtocol({
  name: 'thermostat',
  port: 7000,
  machine: thermostatMachine,
  frames: {
    'client.UNLOCK': frame(is(u8(), 1), { pin: secret(text('u8', { min: 1, max: 8 })) }),
    'client.SET': frame(is(u8(), 2), { degrees: u8({ max: 40 }) }),
    'client.READ': frame(is(u8(), 3)),
    'server.OK': frame(is(u8(), 0x80)),
    'server.NO': frame(is(u8(), 0x81), { reason: text('u8') }),
    'server.DEGREES': frame(is(u8(), 0x82), { degrees: u8() }),
  },
  violation: { reply: refusal, closes: true },
  malformed: { reply: refusal, closes: false },
  unreadable: { reply: refusal },
  samples: () => ({
    messages: {
      UNLOCK: { message: { type: 'client.UNLOCK', pin: '1234' }, answer: 'server.OK' },
      'UNLOCK/wrong-pin': { message: { type: 'client.UNLOCK', pin: '9' }, answer: 'server.NO' },
      SET: { message: { type: 'client.SET', degrees: 21 }, answer: 'server.OK' },
      'SET/too-cold': { message: { type: 'client.SET', degrees: 4 }, answer: 'server.NO' },
      READ: { message: { type: 'client.READ' }, answer: 'server.DEGREES' },
    },
    malformed: { 'SET/41': Uint8Array.of(2, 41) },
  }),
});
