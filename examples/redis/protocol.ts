import { defineProtocol, type RemoteError } from 'wirechart';
import { redisFrames } from './frames.ts';
import { redisMachine } from './machine.ts';

const plain = ['server.SIMPLE', 'server.ERROR', 'server.INTEGER', 'server.BULK', 'server.ARRAY'] as const;

function refusal({ state, received }: RemoteError) {
  const text = state.startsWith('locked') ? 'NOAUTH Authentication required.' : `ERR not now: ${received}`;
  return { type: 'server.ERROR', text } as const;
}

const queued = { type: 'server.SIMPLE', text: 'QUEUED' } as const;
const inTransaction = { sound: queued, spoilt: queued };
const ok = { type: 'server.SIMPLE', text: 'OK' } as const;

export const redis = defineProtocol({
  name: 'redis',
  port: 6379,
  machine: redisMachine,
  frames: redisFrames,
  violation: { reply: refusal, closes: false },
  malformed: { reply: () => ({ type: 'server.ERROR', text: 'ERR Protocol error' }), closes: true },
  unreadable: { reply: () => ({ type: 'server.ERROR', text: 'ERR Protocol error' }) },
  reads: {
    ...{ connecting: plain, locked: plain, open: plain, sound: plain, spoilt: plain },
    ...{ leaving: plain, closed: plain },
    'open.subscribing': ['server.ERROR', 'server.SUBSCRIBED'],
    'open.unsubscribing': ['server.ERROR', 'server.RELEASED'],
    subscribed: [
      ...(['server.ERROR', 'server.SUBSCRIBED', 'server.UNSUBSCRIBED', 'server.RELEASED'] as const),
      ...(['server.MESSAGE', 'server.ALIVE'] as const),
    ],
  },
  unchecked: [
    'that a command of several channels has one confirmation for each',
    'which commands an EXEC answers, and whether a watched key changed',
  ],
  samples: (unique) => ({
    messages: {
      AUTH: {
        message: { type: 'client.AUTH', words: ['AUTH', 'sesame'] },
        answer: { ...inTransaction, '': ok },
      },
      'AUTH/wrong': {
        message: { type: 'client.AUTH', words: ['AUTH', 'wrong'] },
        answer: { ...inTransaction, '': 'server.ERROR' },
      },
      PING: {
        message: { type: 'client.PING', words: ['PING'] },
        answer: {
          ...inTransaction,
          subscribed: { type: 'server.ALIVE', content: '' },
          '': { type: 'server.SIMPLE', text: 'PONG' },
        },
      },
      SELECT: {
        message: { type: 'client.SELECT', words: ['SELECT', '0'] },
        answer: { ...inTransaction, '': ok },
      },
      GET: {
        message: { type: 'client.GET', words: ['GET', `wirechart:none:${unique}`] },
        answer: { ...inTransaction, '': { type: 'server.BULK', content: null } },
      },
      'GET/too-few': { message: { type: 'client.GET', words: ['GET'] }, answer: 'server.ERROR' },
      SET: {
        message: { type: 'client.SET', words: ['SET', `wirechart:${unique}`, 'a\r\nb'] },
        answer: { ...inTransaction, '': ok },
        leaves: 'a key',
        cleanup: [
          { type: 'client.AUTH', words: ['AUTH', 'sesame'] },
          { type: 'client.DEL', words: ['DEL', `wirechart:${unique}`] },
        ],
      },
      DEL: {
        message: { type: 'client.DEL', words: ['DEL', `wirechart:none:${unique}`] },
        answer: { ...inTransaction, '': { type: 'server.INTEGER', number: 0 } },
      },
      INCR: {
        message: { type: 'client.INCR', words: ['INCR', `wirechart:${unique}`] },
        answer: { ...inTransaction, '': { type: 'server.INTEGER', number: 1 } },
        leaves: 'a key',
        cleanup: [
          { type: 'client.AUTH', words: ['AUTH', 'sesame'] },
          { type: 'client.DEL', words: ['DEL', `wirechart:${unique}`] },
        ],
      },
      MULTI: { message: { type: 'client.MULTI', words: ['MULTI'] }, answer: ok },
      EXEC: {
        message: { type: 'client.EXEC', words: ['EXEC'] },
        answer: { spoilt: 'server.ERROR', '': 'server.ARRAY' },
      },
      DISCARD: { message: { type: 'client.DISCARD', words: ['DISCARD'] }, answer: ok },
      WATCH: { message: { type: 'client.WATCH', words: ['WATCH', `wirechart:${unique}`] }, answer: ok },
      UNWATCH: {
        message: { type: 'client.UNWATCH', words: ['UNWATCH'] },
        answer: { ...inTransaction, '': ok },
      },
      PUBLISH: {
        message: { type: 'client.PUBLISH', words: ['PUBLISH', `wirechart:none:${unique}`, 'x'] },
        answer: { ...inTransaction, '': { type: 'server.INTEGER', number: 0 } },
      },
      SUBSCRIBE: {
        message: { type: 'client.SUBSCRIBE', words: ['SUBSCRIBE', 'wirechart'] },
        answer: { type: 'server.SUBSCRIBED', channel: 'wirechart', count: 1 },
      },
      UNSUBSCRIBE: {
        message: { type: 'client.UNSUBSCRIBE', words: ['UNSUBSCRIBE', 'wirechart'] },
        answer: { type: 'server.RELEASED', channel: 'wirechart' },
      },
      QUIT: { message: { type: 'client.QUIT', words: ['QUIT'] }, answer: ok },
      BLANK: { message: { type: 'client.BLANK', words: [] } },
      OTHER: { message: { type: 'client.OTHER', words: ['XYZZY'] }, answer: 'server.ERROR' },
    },
    malformed: { 'no-bulk': Buffer.from('*1\r\n+PING\r\n'), 'no-count': Buffer.from('*x\r\n') },
  }),
});
