import type { ServerMessage } from 'wirechart';
import { bending, testMutants } from '../field-report/mutants.ts';
import { redisHandlers } from './handlers.ts';
import { redis } from './protocol.ts';

const right = { protocol: redis, handlers: () => redisHandlers('sesame') };
const { saying, hearing, instead, leading, twice, only } = bending(redis);
type Told = ServerMessage<typeof redis>;

const again = (word: Told): readonly Told[] => [word, word];
const simple = (text: string) => ({ type: 'server.SIMPLE', text }) as const;
const error = { type: 'server.ERROR', text: 'ERR no' } as const;

testMutants(right, {
  'every password is right': { bent: instead('AUTH', () => simple('OK')) },
  'no password is right': { bent: instead('AUTH', () => error), verdict: 'set-up' },
  'PONG is not said': {
    bent: saying('PING', () => [simple('OK')]),
    rule: /text must be "PONG", and is "OK"/,
  },
  'PONG is said twice': { bent: saying('PING', again) },
  'a key that there is not is empty': {
    bent: saying(
      'GET',
      only('server.BULK', () => [{ type: 'server.BULK', content: '' }]),
    ),
    rule: /content must be null/,
  },
  'GET without a key is well': {
    bent: instead('GET', (message, asRight) =>
      message.words.length === 1 ? { type: 'server.BULK', content: null } : asRight(message),
    ),
  },
  'SET answers with the old value': {
    bent: saying(
      'SET',
      only('server.SIMPLE', ({ text }) => [
        text === 'OK' ? { type: 'server.BULK', content: null } : simple(text),
      ]),
    ),
  },
  'DEL counts what it did not delete': {
    bent: saying(
      'DEL',
      only('server.INTEGER', (word) => [{ ...word, number: 1 }]),
    ),
    rule: /number must be 0, and is 1/,
  },
  'INCR counts by two': { bent: twice('INCR') },
  'INCR answers as a text': {
    bent: saying(
      'INCR',
      only('server.INTEGER', ({ number }) => [{ type: 'server.BULK', content: `${number}` }]),
    ),
  },
  'MULTI answers QUEUED': { bent: saying('MULTI', () => [simple('QUEUED')]) },
  'MULTI is refused': { bent: instead('MULTI', () => error), verdict: 'set-up' },
  'commands of a transaction run at once': {
    bent: saying(
      'SELECT',
      only('server.SIMPLE', () => [simple('OK')]),
    ),
    rule: /text must be "QUEUED", and is "OK"/,
  },
  'EXEC of a sound transaction is refused': { bent: instead('EXEC', () => error) },
  'EXEC of a spoilt transaction runs it': {
    bent: instead('EXEC', () => ({ type: 'server.ARRAY', items: [] })),
  },
  'DISCARD is refused': { bent: instead('DISCARD', () => error), verdict: 'set-up' },
  'DISCARD answers with nothing but a number': {
    bent: instead('DISCARD', () => ({ type: 'server.INTEGER', number: 0 })),
  },
  'WATCH is not known': { bent: instead('WATCH', () => error), verdict: 'set-up' },
  'PUBLISH counts one too many': {
    bent: saying(
      'PUBLISH',
      only('server.INTEGER', (word) => [{ ...word, number: word.number + 1 }]),
    ),
  },
  'SUBSCRIBE is confirmed for another channel': {
    bent: saying(
      'SUBSCRIBE',
      only('server.SUBSCRIBED', (word) => [{ ...word, channel: 'other' }]),
    ),
    rule: /channel must be "wirechart", and is "other"/,
  },
  'SUBSCRIBE is confirmed twice': { bent: saying('SUBSCRIBE', again) },
  'UNSUBSCRIBE leaves the subscription': {
    bent: instead('UNSUBSCRIBE', () => ({ type: 'server.UNSUBSCRIBED', channel: 'wirechart', count: 1 })),
  },
  'QUIT is not answered': { bent: instead('QUIT', (_, __, session) => session.close()) },
  'an empty line ends the connection': { bent: instead('BLANK', (_, __, session) => session.close()) },
  'a command that there is not ends the connection': {
    bent: instead('OTHER', (_, __, session) => session.close()),
  },
  'a command at the wrong moment ends the connection': {
    serves: { ...redis, violation: { ...redis.violation, closes: true } },
  },
  'a command at the wrong moment is told nothing': { serves: { ...redis, violation: { closes: false } } },
  'GET needs no password': {
    serves: leading('locked.awaiting', 'client.GET', 'open.getting'),
    rule: /GET was accepted in locked.awaiting/,
  },
  'SUBSCRIBE needs no password': {
    serves: leading('locked.awaiting', 'client.SUBSCRIBE', 'open.subscribing'),
  },
  'EXEC needs no MULTI': { serves: leading('open.awaiting', 'client.EXEC', 'sound.executing') },
  'MULTI may stand in MULTI': { serves: leading('sound.awaiting', 'client.MULTI', 'open.beginning') },
  'WATCH may stand in MULTI': { serves: leading('sound.awaiting', 'client.WATCH', 'sound.queueing') },
  'an error does not spoil a transaction': {
    serves: leading('sound.queueing', 'server.ERROR', 'sound.awaiting'),
  },
  'GET may come while subscribed': {
    serves: leading('subscribed.awaiting', 'client.GET', 'open.getting'),
  },
  'who is subscribed stays so': {
    serves: leading('subscribed.unsubscribing', 'server.RELEASED', 'subscribed.awaiting'),
  },
  'EXEC answers for none of its commands': {
    bent: saying(
      'EXEC',
      only('server.ARRAY', (word) => [{ ...word, items: [] }]),
    ),
    invisible: 'which commands an EXEC answers is not checked, and the README says so',
  },
  'a watched key changes nothing': {
    bent: hearing('WATCH', (message) => ({ ...message, words: ['WATCH', 'nobody:changes:this'] })),
    invisible: 'whether a watched key changed is not checked, and the README says so',
  },
  'who is subscribed gets nothing': {
    bent: hearing('PUBLISH', (message) => ({ ...message, words: ['PUBLISH', 'nobody:hears:this', 'x'] })),
    invisible: 'it takes a subscriber beside the one who publishes; MESSAGE is named as never received',
  },
});

// Where the order and its handlers part, the hidden state lies one step off: k 0 does not reach it.
testMutants(
  { ...right, options: { k: 1 } },
  {
    'DISCARD leaves the transaction': {
      serves: leading('sound.discarding', 'server.SIMPLE', 'sound.awaiting'),
    },
  },
);
