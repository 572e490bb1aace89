import { setup } from 'xstate';
import { is, u8 } from '../../src/transport/fields/index.ts';
import { frame } from '../../src/transport/frame.ts';
import { defineProtocol } from '../../src/transport/protocol.ts';

const noSamples = () => ({ messages: {}, malformed: {} });

/** The server speaks first; each answer leads back; it can be interrupted by news; refusals go on. */
export const greeter = defineProtocol({
  name: 'greeter',
  port: 0,
  machine: setup({
    types: {
      events: {} as {
        type:
          | 'transport.accept'
          | 'transport.end'
          | 'client.ASK'
          | 'client.BYE'
          | 'client.SEEN'
          | 'server.HELLO'
          | 'server.ANSWER'
          | 'server.NEWS';
      },
    },
  }).createMachine({
    id: 'greeter',
    initial: 'before',
    on: { 'transport.end': '.closed' },
    states: {
      before: { on: { 'transport.accept': 'greeting' } },
      greeting: { tags: ['server', 'handshake'], on: { 'server.HELLO': 'talk' } },
      talk: {
        type: 'parallel',
        states: {
          asking: {
            initial: 'idle',
            states: {
              idle: { on: { 'client.ASK': 'judging', 'client.BYE': '#closed' } },
              judging: { tags: 'server', on: { 'server.ANSWER': 'idle' } },
            },
          },
          news: {
            initial: 'none',
            states: {
              none: { on: { 'server.NEWS': 'unseen' } },
              unseen: { tags: 'client', on: { 'client.SEEN': 'none' } },
            },
          },
        },
      },
      closed: { id: 'closed', type: 'final' },
    },
  }),
  frames: {
    'client.ASK': frame(is(u8(), 1), { number: u8({ max: 200 }) }),
    'client.BYE': frame(is(u8(), 2)),
    'client.SEEN': frame(is(u8(), 3)),
    'server.HELLO': frame(is(u8(), 11)),
    'server.ANSWER': frame(is(u8(), 12), { number: u8() }),
    'server.NEWS': frame(is(u8(), 13)),
  },
  violation: { reply: () => ({ type: 'server.ANSWER', number: 0xee }), closes: false },
  malformed: { reply: () => ({ type: 'server.ANSWER', number: 0xdd }), closes: false },
  unreadable: { reply: () => ({ type: 'server.ANSWER', number: 0xcc }) },
  samples: noSamples,
});
