import { defineProtocol, exploreMachine, legalEvents, type Protocol, step } from 'wirechart/core';
import { type Frame, frame, is, u8 } from 'wirechart/fields';
import { hsiSuite, inputsOf, project } from 'wirechart/verify/theory';
import { createMachine } from 'xstate';
import type { Declared } from './protocols.ts';

/** First byte of the frames that are made up for new messages. */
const MADE_UP = 0xa0;

/**
 * The protocol with another machine. A message that is new gets a frame of one byte, one that is gone loses its own.
 *
 * @throws SyntaxError for text that is no JSON, DialectError, DeclarationError.
 */
export function variantOf(protocol: Protocol, text: string): Protocol {
  const machine = createMachine(JSON.parse(text));
  const table = exploreMachine(machine);
  const frames: { [type: string]: Frame } = {};
  for (const [type, known] of Object.entries(protocol.frames)) {
    if (table.events.includes(type) || type.startsWith('server.')) frames[type] = known;
  }
  const made = table.events.filter((type) => !type.startsWith('transport.') && !(type in protocol.frames));
  for (const [nth, type] of made.entries()) frames[type] = frame(is(u8(), MADE_UP + nth));
  const samples: Protocol['samples'] = (unique) => {
    const own = protocol.samples(unique);
    const kept = Object.entries(own.messages).filter(([, { message }]) => message.type in frames);
    const added = made
      .filter((type) => type.startsWith('client.'))
      .map((type) => {
        const from = table.states.findIndex(
          (_, state) => step(table, state, table.events.indexOf(type)) >= 0,
        );
        const [answer] = legalEvents(table, step(table, from, table.events.indexOf(type)), 'server');
        return [type.slice('client.'.length), { message: { type }, ...(answer && { answer }) }];
      });
    return { ...own, messages: Object.fromEntries([...kept, ...added]) };
  };
  const { name, port, violation, malformed, unreadable, timeout, failure, unchecked } = protocol;
  const declaration: Declared = {
    name,
    port,
    machine,
    frames,
    violation,
    malformed,
    unreadable,
    unchecked,
    samples,
    ...(timeout !== undefined && { timeout }),
    ...(failure !== undefined && { failure }),
    framing: { client: (decoder) => protocol.framing('client') ?? decoder },
  };
  return defineProtocol(declaration);
}

/** How many connections a suite takes that is complete for `k` hidden steps. @throws TypeError where no sample fits. */
export function suiteSizes(protocol: Protocol, ks: readonly number[]): readonly number[] {
  const { core } = project(protocol, inputsOf(protocol));
  return ks.map((k) => hsiSuite(core, k).size);
}
