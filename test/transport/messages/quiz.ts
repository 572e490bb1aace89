import * as v from 'valibot';
import { setup } from 'xstate';
import {
  closing,
  type Envelope,
  element,
  json,
  otherwise,
  some,
} from '../../../src/transport/messages/index.ts';
import { defineProtocol } from '../../../src/transport/protocol.ts';

/** What the schema of ASK was asked about. */
export const judged: unknown[] = [];
const ask = v.object({
  id: v.pipe(
    v.number(),
    v.check((id) => judged.push(id) > 0),
  ),
  words: v.array(v.object({ text: v.string() })),
  pin: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d+$/, (issue) => `digits, and not ${issue.input}`),
    ),
  ),
});

export const machine = setup({
  types: {
    events: {} as {
      type:
        | 'transport.accept'
        | 'transport.end'
        | 'client.HELLO'
        | 'client.ASK'
        | 'client.OTHER'
        | 'server.WELCOME'
        | 'server.ANSWER'
        | 'server.ENOUGH';
    },
  },
}).createMachine({
  id: 'quiz',
  initial: 'connecting',
  on: { 'transport.end': '.over' },
  states: {
    connecting: { on: { 'transport.accept': 'new' } },
    new: { on: { 'client.HELLO': 'greeting' } },
    greeting: { tags: ['server-owes'], on: { 'server.WELCOME': 'open' } },
    open: { on: { 'client.ASK': 'asked', 'client.OTHER': 'open' } },
    asked: { tags: ['server-owes'], on: { 'server.ANSWER': 'open', 'server.ENOUGH': 'over' } },
    over: { type: 'final' },
  },
});

/** A protocol of JSON texts. */
export const declare = (envelope?: Envelope, closes = false) =>
  defineProtocol({
    name: 'quiz',
    port: 0,
    machine,
    ...(envelope && { envelope }),
    frames: {
      'client.HELLO': json({ kind: 'hello', name: some }, { secret: ['name'] }),
      'client.ASK': json({ kind: 'ask' }, { schema: ask, secret: ['pin'], max: 1000 }),
      'client.OTHER': otherwise(json({ kind: some, note: some })),
      'server.WELCOME': json({ kind: 'welcome' }),
      'server.ANSWER': json(['answer', element('id'), element('text')]),
      'server.ENOUGH': closing(4400, 'enough'),
      'server.NO': json({ kind: 'no' }),
    },
    violation: { reply: () => ({ type: 'server.NO' }), closes },
    malformed: { reply: () => ({ type: 'server.NO' }), closes: false },
    unreadable: {},
    samples: () => ({ messages: {}, malformed: {} }),
  });
