import type { Samples } from 'wirechart';
import type { frames } from './frames.ts';

const FLAGS = { dup: false, retain: false } as const;

/** Packets to try a broker with, and what must come of them, here and at a subscriber. */
export function mqttSamples(unique: string): Samples<typeof frames> {
  const topic = `wirechart/${unique}`;
  const payload = Buffer.from(`hello ${unique}`);
  const connect = (clientId: string) =>
    ({
      type: 'client.CONNECT',
      level: 4,
      willRetain: false,
      willQos: 0,
      cleanSession: true,
      keepAlive: 60,
      clientId,
    }) as const;
  const subscriber = [
    connect(`s${unique}`),
    { type: 'client.SUBSCRIBE', id: 1, filters: [{ filter: 'wirechart/+', qos: 1 }] },
  ] as const;
  const delivered = { type: 'server.PUBLISH', topic, payload, retain: false } as const;
  const retain = (content: Uint8Array) =>
    ({ type: 'client.PUBLISH0', retain: true, topic: `${topic}/kept`, payload: content }) as const;
  const acknowledged = { id: 4099 } as const;
  return {
    messages: {
      CONNECT: { message: connect(unique), answer: 'server.CONNACK' },
      // [MQTT-3.1.2-2]
      'CONNECT/level': {
        message: { type: 'client.CONNECT', level: 9, another: Buffer.of(2, 0, 60, 0, 0) },
        answer: { type: 'server.REFUSAL', code: 1 },
      },
      // [MQTT-3.1.3-8]
      'CONNECT/nobody': {
        message: { ...connect(''), cleanSession: false },
        answer: { type: 'server.REFUSAL', code: 2 },
      },
      PUBLISH0: {
        before: subscriber,
        message: { type: 'client.PUBLISH0', retain: false, topic, payload },
        delivers: [{ ...delivered, qos: 0 }],
      },
      PUBLISH1: {
        before: subscriber,
        message: { type: 'client.PUBLISH1', ...FLAGS, topic, payload, id: 4097 },
        answer: 'server.PUBACK',
        echoes: ['id'],
        delivers: [{ ...delivered, qos: 1 }],
      },
      // When it is delivered, now or with the PUBREL, is the server's choice (4.3.3).
      PUBLISH2: {
        message: { type: 'client.PUBLISH2', ...FLAGS, topic, payload, id: 4098 },
        answer: 'server.PUBREC',
        echoes: ['id'],
      },
      PUBREL: {
        message: { type: 'client.PUBREL', id: 4098 },
        answer: 'server.PUBCOMP',
        echoes: ['id'],
      },
      PUBACK: { message: { type: 'client.PUBACK', ...acknowledged } },
      PUBREC: {
        message: { type: 'client.PUBREC', ...acknowledged },
        answer: 'server.PUBREL',
        echoes: ['id'],
      },
      PUBCOMP: { message: { type: 'client.PUBCOMP', ...acknowledged } },
      SUBSCRIBE: {
        message: {
          type: 'client.SUBSCRIBE',
          id: 4100,
          filters: [
            { filter: `${topic}/a`, qos: 0 },
            { filter: `${topic}/+/b`, qos: 1 },
            { filter: `${topic}/c/#`, qos: 2 },
          ],
        },
        answer: { type: 'server.SUBACK', codes: [0, 1, 2] },
        echoes: ['id'],
        asMany: { codes: 'filters' },
      },
      'SUBSCRIBE/retained': {
        before: [connect(`s${unique}`), retain(payload)],
        message: { type: 'client.SUBSCRIBE', id: 4101, filters: [{ filter: `${topic}/#`, qos: 0 }] },
        answer: { type: 'server.SUBACK', codes: [0] },
        echoes: ['id'],
        pushes: [
          { type: 'server.PUBLISH', topic: `${topic}/kept`, payload, retain: true, qos: 0, dup: false },
        ],
        leaves: 'a retained message',
        cleanup: [connect(`s${unique}`), retain(Buffer.alloc(0)), { type: 'client.DISCONNECT' }],
      },
      UNSUBSCRIBE: {
        message: { type: 'client.UNSUBSCRIBE', id: 4102, filters: [`${topic}/a`] },
        answer: 'server.UNSUBACK',
        echoes: ['id'],
      },
      PINGREQ: { message: { type: 'client.PINGREQ' }, answer: 'server.PINGRESP' },
      DISCONNECT: { message: { type: 'client.DISCONNECT' } },
    },
    malformed: {
      // [MQTT-3.8.3-4], [MQTT-3.8.3-3], [MQTT-3.3.2-2], [MQTT-1.5.3-1], [MQTT-2.3.1-1]
      'SUBSCRIBE/qos-3': Buffer.from('8206000100016103', 'hex'),
      'SUBSCRIBE/nothing': Buffer.from('82020001', 'hex'),
      'PUBLISH0/wildcard': Buffer.from('30050003612f23', 'hex'),
      'PUBLISH0/not-utf8': Buffer.from('30040002c328', 'hex'),
      'PUBLISH1/id-0': Buffer.from('32050001610000', 'hex'),
      'remaining/five-bytes': Buffer.from('30ffffffff01', 'hex'),
    },
  };
}
