import { expectTypeOf, test } from 'vitest';
import { messageLogMachine } from '../../src/protocols/message-log/machine.ts';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import type { Connection } from '../../src/transport/connection.ts';
import { bytes, is, u8 } from '../../src/transport/fields/index.ts';
import { frame } from '../../src/transport/frame.ts';
import type { Handlers } from '../../src/transport/handlers.ts';
import { type ClientMessage, defineProtocol, type ServerMessage } from '../../src/transport/protocol.ts';
import type { Session } from '../../src/transport/session.ts';

type LogFrames = typeof messageLog.frames;

const { frames } = messageLog;
const declaration = {
  name: 'log',
  port: 1,
  machine: messageLogMachine,
  violation: { closes: true },
  malformed: { closes: true },
  unreadable: {},
  samples: () => ({ messages: {}, malformed: {} }),
};

test('messages are told apart by their names and carry the fields of their frames', () => {
  expectTypeOf<ClientMessage<typeof messageLog>['type']>().toEqualTypeOf<
    'client.NAME' | 'client.PASSWORD' | 'client.MESSAGE' | 'client.CLOSE'
  >();
  expectTypeOf<ServerMessage<typeof messageLog>['type']>().toEqualTypeOf<'server.ACCEPT' | 'server.REJECT'>();
  expectTypeOf<
    Extract<ClientMessage<typeof messageLog>, { readonly type: 'client.NAME' }>['payload']
  >().toEqualTypeOf<Uint8Array>();
  expectTypeOf<
    Extract<ClientMessage<typeof messageLog>, { readonly type: 'client.CLOSE' }>
  >().not.toHaveProperty('payload');
});

test('a protocol has a frame for each message of its machine, and no other', () => {
  const { 'client.CLOSE': _, ...missing } = frames;
  // @ts-expect-error: client.CLOSE has no frame
  defineProtocol({ ...declaration, frames: missing });
  defineProtocol({ ...declaration, frames: { ...frames } });
  // @ts-expect-error: a frame is no layout
  defineProtocol({ ...declaration, frames: { ...frames, 'client.CLOSE': { code: u8() } } });
  // @ts-expect-error: the machine has no event PING
  defineProtocol({ ...declaration, frames: { ...frames, 'client.PING': frame(is(u8(), 9)) } });
  // @ts-expect-error: no end says ping
  defineProtocol({ ...declaration, frames: { ...frames, 'ping.CLOSE': frame(is(u8(), 9)) } });
});

test('what a verdict, a failure and a sample say are messages of the protocol', () => {
  defineProtocol({
    ...declaration,
    frames,
    violation: { closes: true, reply: () => ({ type: 'server.REJECT' }) },
    // @ts-expect-error: only the server says why it refuses
    malformed: { closes: true, reply: () => ({ type: 'client.CLOSE' }) },
    // @ts-expect-error: a client hopes for a message of the server
    pipelinedReply: 'client.CLOSE',
    // @ts-expect-error: there is no such message
    failure: () => ({ type: 'server.SORRY' }),
  });
});

test('handlers answer every message of the peer with a message of their own', () => {
  const ACCEPT = { type: 'server.ACCEPT' } as const;
  const all: Handlers<LogFrames> = {
    NAME: ({ payload }) => (payload.length > 0 ? ACCEPT : { type: 'server.REJECT' }),
    PASSWORD: async () => ACCEPT,
    MESSAGE: () => ACCEPT,
    CLOSE: () => ACCEPT,
  };
  const { CLOSE: _, ...three } = all;
  // @ts-expect-error: CLOSE has no handler
  const missing: Handlers<LogFrames> = three;
  // @ts-expect-error: PING is no message
  const surplus: Handlers<LogFrames> = { ...all, PING: () => ACCEPT };
  // @ts-expect-error: a server does not say NAME
  const wrong: Handlers<LogFrames> = { ...all, NAME: () => ({ type: 'client.NAME', payload: Buffer.of(1) }) };
  // @ts-expect-error: CLOSE carries no payload
  const nosy: Handlers<LogFrames> = { ...all, CLOSE: ({ payload }) => (payload ? ACCEPT : ACCEPT) };
  const run = { handle: () => 0, accept: ACCEPT, refuse: ACCEPT };
  const running: Handlers<LogFrames> = { ...all, MESSAGE: run };
  // @ts-expect-error: the runs of a message that is none
  const astray: Handlers<LogFrames> = { ...all, PING: run };
  const client: Handlers<LogFrames, 'client'> = { ACCEPT: () => undefined, REJECT: () => undefined };
  // @ts-expect-error: a client hears ACCEPT and REJECT
  const deaf: Handlers<LogFrames, 'client'> = { ACCEPT: () => undefined };
  expectTypeOf([missing, surplus, wrong, nosy, running, astray, client, deaf]).toBeArray();
});

test('each end sends its own messages only, whole', () => {
  // Never called: it has to compile, or not to.
  const sends = (server: Session<LogFrames>, client: Connection<LogFrames, 'client'>) => {
    server.send({ type: 'server.ACCEPT' }, { type: 'server.REJECT' });
    client.send({ type: 'client.NAME', payload: Buffer.of(1) });
    // @ts-expect-error: that is the client's
    server.send({ type: 'client.CLOSE' });
    // @ts-expect-error: that is the server's
    client.send({ type: 'server.ACCEPT' });
    // @ts-expect-error: a NAME without a payload
    client.send({ type: 'client.NAME' });
  };
  expectTypeOf(sends).toBeFunction();
});

test('a layout’s fields have the types that they carry', () => {
  const layout = frame(is(u8(), 1), { payload: bytes('u8') });
  expectTypeOf(layout.size).parameter(0).toEqualTypeOf<{ readonly payload: Uint8Array }>();
});
