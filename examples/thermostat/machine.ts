import { setup } from 'xstate';

export const thermostatMachine = setup({
  types: {
    events: {} as {
      type:
        | 'transport.accept'
        | 'transport.end'
        | 'transport.timeout'
        | 'client.UNLOCK'
        | 'client.SET'
        | 'client.READ'
        | 'server.OK'
        | 'server.NO'
        | 'server.DEGREES';
    },
    tags: {} as 'client' | 'server' | 'handshake',
  },
}).createMachine({
  id: 'thermostat',
  description: 'Unlock with a PIN, then set and read the temperature.',
  initial: 'connecting',
  on: { 'transport.end': '.closed', 'transport.timeout': '.closed' },
  states: {
    connecting: { on: { 'transport.accept': 'locked' } },
    locked: {
      id: 'locked',
      tags: 'handshake',
      initial: 'awaiting',
      states: {
        awaiting: { tags: 'client', on: { 'client.UNLOCK': 'judging' } },
        judging: { tags: 'server', on: { 'server.OK': '#unlocked', 'server.NO': 'awaiting' } },
      },
    },
    unlocked: {
      id: 'unlocked',
      initial: 'awaiting',
      states: {
        awaiting: { tags: 'client', on: { 'client.SET': 'setting', 'client.READ': 'reading' } },
        setting: { tags: 'server', on: { 'server.OK': 'awaiting', 'server.NO': 'awaiting' } },
        reading: { tags: 'server', on: { 'server.DEGREES': 'awaiting' } },
      },
    },
    closed: { type: 'final' },
  },
});
