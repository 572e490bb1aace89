import { expect, test } from 'vitest';
import { defineProtocol, type ServerMessage } from 'wirechart';
import { bits, bytes, frame, is, isBits, u8, ubits, varint, within } from 'wirechart/fields';
import { textReport } from 'wirechart/verify';
import { bending, type Mutant, testMutants, verifyMutant } from '../field-report/mutants.ts';
import { Broker } from './broker.ts';
import { frames } from './frames.ts';
import { mqttMachine } from './machine.ts';
import { mqtt } from './protocol.ts';

const right = { protocol: mqtt, handlers: () => new Broker().handlers };
const { saying, hearing, instead, twice, only } = bending(mqtt);
type Told = ServerMessage<typeof mqtt>;
type MqttMutant = Mutant<typeof frames>;

const otherId = (word: Told): readonly Told[] => [
  'id' in word && word.id !== undefined ? { ...word, id: word.id + 1 } : word,
];
const again = <T>(word: T): readonly T[] => [word, word];
const nothing = () => undefined;

/** The five that every verifier of brokers must see. */
const nothingDelivered: MqttMutant = {
  bent: instead('SUBSCRIBE', ({ id, filters }) => ({
    type: 'server.SUBACK',
    id,
    codes: filters.map(({ qos }) => qos),
  })),
  rule: /PUBLISH was never delivered/,
};
testMutants(right, {
  'nothing is ever delivered': nothingDelivered,
  'delivered twice': { bent: twice('PUBLISH1'), rule: /PUBLISH was delivered once more than it should/ },
  'foreign content': {
    bent: hearing('PUBLISH1', (message) => ({ ...message, payload: Buffer.from('foreign') })),
    rule: /PUBLISH was delivered: payload must be "hello/,
  },
  'a wrong id': { bent: saying('PUBLISH1', otherId), rule: /id 4097 must come back, and 4098 did/ },
  'too few codes': {
    bent: saying(
      'SUBSCRIBE',
      only('server.SUBACK', (word) => [{ ...word, codes: word.codes.slice(1) }]),
    ),
    rule: /codes must be as many as filters, 3, and are 2/,
  },
});

test('what is never delivered is named as never seen', async () => {
  const verification = await verifyMutant(right, nothingDelivered);
  expect(verification.unseen.messages).toEqual(['server.PUBLISH']);
  expect(textReport(verification)).toContain('Never received: PUBLISH.');
});

const suback = (bend: (word: Extract<Told, { readonly type: 'server.SUBACK' }>) => readonly Told[]) => ({
  bent: saying('SUBSCRIBE', only('server.SUBACK', bend)),
});
const retained = (bend: (word: Extract<Told, { readonly type: 'server.PUBLISH' }>) => readonly Told[]) => ({
  bent: saying('SUBSCRIBE', only('server.PUBLISH', bend)),
});

testMutants(right, {
  'PUBREC with another id': { bent: saying('PUBLISH2', otherId) },
  'PUBCOMP with another id': { bent: saying('PUBREL', otherId) },
  'PUBREL with another id': { bent: saying('PUBREC', otherId) },
  'SUBACK with another id': suback(otherId),
  'UNSUBACK with another id': { bent: saying('UNSUBSCRIBE', otherId) },
  'SUBACK twice': suback(again),
  'PINGRESP twice': { bent: saying('PINGREQ', again) },
  'PUBREC in place of PUBACK': { bent: saying('PUBLISH1', () => [{ type: 'server.PUBREC', id: 4097 }]) },
  'every subscription granted QoS 0': suback((word) => [{ ...word, codes: word.codes.map(() => 0) }]),
  'every subscription refused': suback((word) => [{ ...word, codes: word.codes.map(() => 0x80) }]),
  'nothing retained is sent': retained(() => []),
  'retained sent twice': retained(again),
  'retained without its flag': retained((word) => [{ ...word, retain: false }]),
  'retained with another content': retained((word) => [{ ...word, payload: Buffer.from('other') }]),
  'another level is welcome': {
    bent: instead('CONNECT', (message, asRight) =>
      message.level === 4 ? asRight(message) : { type: 'server.CONNACK', sessionPresent: false },
    ),
  },
  'nobody is welcome': { bent: hearing('CONNECT', (message) => ({ ...message, cleanSession: true })) },
  'another code for a level': {
    bent: saying(
      'CONNECT',
      only('server.REFUSAL', (word) => [{ ...word, code: word.code === 1 ? 3 : word.code }]),
    ),
  },
  'QoS 0 not delivered': { bent: instead('PUBLISH0', nothing) },
  'QoS 0 delivered twice': { bent: twice('PUBLISH0') },
  'QoS 1 delivered as QoS 0': {
    bent: (handlers) => ({
      ...handlers,
      PUBLISH1({ topic, payload, id }) {
        Reflect.apply(Object(handlers.PUBLISH0), handlers, [{ retain: false, topic, payload }]);
        return { type: 'server.PUBACK', id };
      },
    }),
  },
  'delivered on another topic': {
    bent: hearing('PUBLISH0', (message) => ({ ...message, topic: `wirechart/x${message.topic.length}` })),
  },
  'PINGREQ ends the connection': { bent: instead('PINGREQ', (_, __, session) => session.close()) },
  'PUBACK ends the connection': { bent: instead('PUBACK', (_, __, session) => session.close()) },
  'QoS 2 is never delivered': {
    bent: instead('PUBLISH2', ({ id }) => ({ type: 'server.PUBREC', id })),
    invisible: 'when it is due, with its PUBLISH or its PUBREL, the specification leaves open',
  },
  'UNSUBSCRIBE does nothing': {
    bent: instead('UNSUBSCRIBE', ({ id }) => ({ type: 'server.UNSUBACK', id })),
    invisible: 'it takes a subscriber that hears on',
  },
  'no will is published': {
    bent: (handlers) => ({ ...handlers, ended: () => {} }),
    invisible: 'it takes a client that dies',
  },
});

const { violation, malformed, unreadable, samples } = mqtt;
const rest = { name: 'mqtt', port: 0, machine: mqttMachine, violation, malformed, unreadable, samples };
const serving = (bent: Partial<typeof frames>): MqttMutant => ({
  serves: defineProtocol({ ...rest, frames: { ...frames, ...bent } }),
});
const anyPing = bits({ kind: isBits(12, 4), flags: ubits(4) });

// What is declared otherwise: packets that are none are taken, or at another moment.
testMutants(
  { ...right, options: { sweep: true } },
  {
    'what is malformed does not end the connection': {
      serves: defineProtocol({ ...rest, frames, malformed: { closes: false } }),
    },
    'a second CONNECT does not end the connection': {
      serves: defineProtocol({ ...rest, frames, violation: { closes: false } }),
    },
    'PINGREQ with any flags and content': serving({
      'client.PINGREQ': frame(anyPing, within(varint({ max: 1000 }), { content: bytes('rest') })),
    }),
    'PINGREQ with any flags, as long as it has no content': serving({
      'client.PINGREQ': frame(anyPing, is(u8(), 0)),
    }),
  },
);
