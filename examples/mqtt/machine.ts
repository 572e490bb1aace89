import { setup } from 'xstate';

/** The server owes this; it may PUBLISH before it. */
const owes = <S extends string, T extends string>(state: S, answer: T) =>
  ({ tags: 'server', on: { [answer]: 'idle', 'server.PUBLISH': state } }) as const;

/** The order of MQTT 3.1.1. A PUBLISH is three events, by its QoS: what is owed for it depends on that. */
export const mqttMachine = setup({
  types: {
    events: {} as {
      type:
        | `transport.${'accept' | 'end' | 'timeout'}`
        | `client.${'CONNECT' | 'PUBLISH0' | 'PUBLISH1' | 'PUBLISH2' | 'PUBACK' | 'PUBREC' | 'PUBREL'}`
        | `client.${'PUBCOMP' | 'SUBSCRIBE' | 'UNSUBSCRIBE' | 'PINGREQ' | 'DISCONNECT'}`
        | `server.${'CONNACK' | 'REFUSAL' | 'PUBLISH' | 'PUBACK' | 'PUBREC' | 'PUBREL' | 'PUBCOMP'}`
        | `server.${'SUBACK' | 'UNSUBACK' | 'PINGRESP'}`;
    },
    tags: {} as 'client' | 'server' | 'handshake',
  },
}).createMachine({
  id: 'mqtt',
  description: 'Publish and subscribe, each at any time once connected.',
  initial: 'connecting',
  on: { 'transport.end': '.closed', 'transport.timeout': '.closed' },
  states: {
    connecting: { on: { 'transport.accept': 'greeting' } },
    greeting: {
      meta: { clause: 'The first packet of a client is a CONNECT [MQTT-3.1.0-1], answered by a CONNACK.' },
      tags: 'handshake',
      initial: 'awaiting',
      states: {
        awaiting: { tags: 'client', on: { 'client.CONNECT': 'judging' } },
        judging: { tags: 'server', on: { 'server.CONNACK': '#connected', 'server.REFUSAL': '#closed' } },
      },
    },
    connected: {
      id: 'connected',
      meta: { clause: 'A second CONNECT is a violation [MQTT-3.1.0-2]. Nothing follows a DISCONNECT.' },
      initial: 'idle',
      states: {
        idle: {
          tags: 'client',
          on: {
            'client.PUBLISH0': 'idle',
            'client.PUBLISH1': 'publishing',
            'client.PUBLISH2': 'receiving',
            'client.PUBREL': 'completing',
            'client.PUBACK': 'idle',
            'client.PUBREC': 'releasing',
            'client.PUBCOMP': 'idle',
            'client.SUBSCRIBE': 'subscribing',
            'client.UNSUBSCRIBE': 'unsubscribing',
            'client.PINGREQ': 'pinging',
            'client.DISCONNECT': '#closed',
            'server.PUBLISH': 'idle',
            'server.PUBREL': 'idle',
          },
        },
        publishing: owes('publishing', 'server.PUBACK'),
        receiving: owes('receiving', 'server.PUBREC'),
        completing: owes('completing', 'server.PUBCOMP'),
        releasing: owes('releasing', 'server.PUBREL'),
        subscribing: owes('subscribing', 'server.SUBACK'),
        unsubscribing: owes('unsubscribing', 'server.UNSUBACK'),
        pinging: owes('pinging', 'server.PINGRESP'),
      },
    },
    closed: { id: 'closed', type: 'final' },
  },
});
