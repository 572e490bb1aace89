import type { Declaration, Frames, Protocol } from 'wirechart/core';
import type { AnyStateMachine } from 'xstate';
import { thermostat } from '../../examples/thermostat/protocol.ts';
import { accountChat } from '../../src/protocols/account-chat/protocol.ts';
import { basicChat } from '../../src/protocols/basic-chat/protocol.ts';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';

/** A protocol to play with, and the words of a server whose content is of no interest. */
export interface Played {
  readonly protocol: Protocol;
  readonly words: Readonly<Record<string, object>>;
}

export type Declared = Declaration<AnyStateMachine, Frames>;

/** Not every protocol is of the one type `Protocol`: what is played is looked at by name alone. */
const played = (protocol: unknown, words: Played['words'] = {}): Played => ({
  protocol: protocol as Protocol,
  words,
});

export const protocols: readonly Played[] = [
  played(messageLog),
  played(thermostat, { 'server.NO': { reason: 'no' }, 'server.DEGREES': { degrees: 21 } }),
  played(basicChat, {
    'server.OK': { message: 'welcome' },
    'server.REFUSE': { code: 1, message: 'no' },
    'server.DELIVER': { from: 'bob', message: 'hello' },
  }),
  played(accountChat, {
    'server.ERR': { message: 'no' },
    'server.PART': { message: 'ann, bob,' },
    'server.SUC': { message: 'done' },
    'server.NMS': { fromUsername: 'bob', content: 'hello' },
  }),
];
