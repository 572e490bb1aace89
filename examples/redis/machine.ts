import { setup } from 'xstate';
import type { redisFrames } from './frames.ts';

type Event = `transport.${'accept' | 'end' | 'timeout'}` | keyof typeof redisFrames;

/** The server owes one of `names`, which leads to `next`; an error leads back, unless it is said where. */
const owes = (names: string, next = 'awaiting', error = 'awaiting') => ({
  tags: 'server' as const,
  on: { ...to(next, 'server', names), 'server.ERROR': error },
});
const to = (next: string, who: 'client' | 'server', names: string) =>
  Object.fromEntries(names.split(' ').map((name) => [`${who}.${name}`, next]));
const always = { 'client.QUIT': '#leaving', 'client.BLANK': 'awaiting' };
/** What a client may say at leisure, and what the server then owes. */
const place = (id: string, on: Record<string, string>, owed: Record<string, ReturnType<typeof owes>>) => ({
  id,
  initial: 'awaiting',
  states: { awaiting: { tags: 'client' as const, on: { ...always, ...on } }, ...owed },
});
const transaction = (id: string, executed: string) =>
  place(
    id,
    {
      ...to('queueing', 'client', 'AUTH PING SELECT GET SET DEL INCR UNWATCH PUBLISH OTHER'),
      ...{ 'client.EXEC': 'executing', 'client.DISCARD': 'discarding' },
    },
    {
      ...{ queueing: owes('SIMPLE', 'awaiting', '#spoilt'), executing: owes(executed, '#open', '#open') },
      discarding: owes('SIMPLE', '#open', '#spoilt'),
    },
  );
const open = place(
  'open',
  {
    ...{ ...to('doing', 'client', 'AUTH SELECT WATCH UNWATCH'), 'client.GET': 'getting' },
    ...{ ...to('asking', 'client', 'PING SET'), ...to('counting', 'client', 'DEL INCR PUBLISH') },
    ...{ 'client.OTHER': 'answering', 'client.MULTI': 'beginning' },
    ...{ 'client.SUBSCRIBE': 'subscribing', 'client.UNSUBSCRIBE': 'unsubscribing' },
  },
  {
    ...{ doing: owes('SIMPLE'), getting: owes('BULK'), counting: owes('INTEGER') },
    ...{ asking: owes('SIMPLE BULK'), answering: owes('SIMPLE INTEGER BULK ARRAY') },
    ...{ beginning: owes('SIMPLE', '#sound'), subscribing: owes('SUBSCRIBED', '#subscribed') },
    unsubscribing: owes('RELEASED'),
  },
);
const leaves = { ...owes('UNSUBSCRIBED').on, 'server.RELEASED': '#open' };
const subscribed = place(
  'subscribed',
  {
    ...{ 'client.PING': 'asking', 'client.SUBSCRIBE': 'subscribing', 'client.UNSUBSCRIBE': 'unsubscribing' },
    ...{ ...to('awaiting', 'server', 'MESSAGE SUBSCRIBED UNSUBSCRIBED'), 'server.RELEASED': '#open' },
  },
  { asking: owes('ALIVE'), subscribing: owes('SUBSCRIBED'), unsubscribing: { tags: 'server', on: leaves } },
);
const locked = place('locked', { 'client.AUTH': 'judging' }, { judging: owes('SIMPLE', '#open') });
export const redisMachine = setup({
  types: { events: {} as { type: Event }, tags: {} as 'client' | 'server' | 'handshake' },
}).createMachine({
  id: 'redis',
  description: 'RESP2 with a password: commands, transactions, and the mode of those who subscribe.',
  initial: 'connecting',
  on: { 'transport.end': '.closed', 'transport.timeout': '.closed' },
  states: {
    connecting: { on: { 'transport.accept': 'locked' } },
    ...{ locked: { ...locked, tags: 'handshake' }, open, subscribed },
    ...{ sound: transaction('sound', 'ARRAY'), spoilt: transaction('spoilt', 'ERROR') },
    leaving: { id: 'leaving', tags: 'server', on: { 'server.SIMPLE': 'closed' } },
    closed: { type: 'final' },
  },
});
