import { expect, test } from 'vitest';
import { createMachine } from 'xstate';
import { Horizons } from '../../src/guard/horizon.ts';
import { Monitor, type Route } from '../../src/guard/monitor.ts';
import { LocalError } from '../../src/transport/errors.ts';
import { type Field, is, u8 } from '../../src/transport/fields/index.ts';
import { frame } from '../../src/transport/frame.ts';
import { defineProtocol } from '../../src/transport/protocol.ts';

/** A field that reads nothing, wants nothing and refuses nothing. */
const stuck: Field<number> = {
  ...{ says: 'nothing', minimum: 1, maximum: 1 },
  read: () => undefined,
  size: () => 1,
  write: (_value, _into, at) => at + 1,
  sample: () => 0,
};

const on = { 'client.ASK': 'asked', 'transport.end': 'closed' };
const protocol = defineProtocol({
  name: 'stuck',
  port: 0,
  machine: createMachine({
    initial: 'connecting',
    states: {
      connecting: { on: { 'transport.accept': 'idle' } },
      idle: { tags: 'client', on },
      asked: { tags: 'server', on: { 'server.OK': 'idle', 'transport.end': 'closed' } },
      closed: { type: 'final' },
    },
  }),
  frames: { 'client.ASK': frame(is(u8(), 1), { stuck }), 'server.OK': frame(is(u8(), 0), { stuck }) },
  violation: { closes: true },
  malformed: { closes: true },
  unreadable: {},
  samples: () => ({ messages: {}, malformed: {} }),
});

test.each(['client', 'server'] as const)('a faulty field of a %s is told, and not asked for ever', (role) => {
  const nothing = () => {};
  const route: Route = {
    toServer: nothing,
    toClient: nothing,
    refused: nothing,
    faulted: nothing,
    lost: nothing,
    upgraded: () => false,
  };
  const monitor = new Monitor(protocol, new Horizons(protocol.table), route);
  const said = () =>
    role === 'client' ? monitor.clientSaid(Uint8Array.of(1, 1)) : monitor.serverSaid(Uint8Array.of(0, 0));
  expect(said).toThrow(LocalError);
  expect(said).toThrow('read nothing');
});
