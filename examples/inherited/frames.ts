import { defineProtocol } from 'wirechart';
import { frame, is, line, otherwise, text, word } from 'wirechart/fields';

const refuse = () => ({ type: 'server.NO', reason: 'not now' }) as const;

export default defineProtocol({
  name: 'barrier',
  port: 7000,
  order: 'unknown',
  frames: {
    'client.HELLO': frame(word('HELLO'), { name: line({ separator: ' ' }) }),
    'client.PIN': frame(word('PIN'), { pin: line({ separator: ' ' }) }),
    'client.OPEN': frame(word('OPEN'), is(line(), '')),
    'client.QUIT': frame(word('QUIT'), is(line(), '')),
    'client.OTHER': otherwise(frame({ text: line() })),
    'server.OK': frame(is(text(3), '+OK'), { text: line({ separator: ' ' }) }),
    'server.NO': frame(is(text(3), '-NO'), { reason: line({ separator: ' ' }) }),
    'server.BYE': frame(is(text(6), '+BYE\r\n')),
  },
  violation: { reply: refuse, closes: false },
  malformed: { reply: refuse, closes: false },
  unreadable: { reply: refuse },
  samples: (unique) => ({
    messages: {
      HELLO: { message: { type: 'client.HELLO', name: unique } },
      PIN: { message: { type: 'client.PIN', pin: '4711' } },
      'PIN/wrong': { message: { type: 'client.PIN', pin: '1' } },
      OPEN: { message: { type: 'client.OPEN' } },
      QUIT: { message: { type: 'client.QUIT' } },
      OTHER: { message: { type: 'client.OTHER', text: 'CLOSE' } },
    },
    malformed: {},
  }),
});
