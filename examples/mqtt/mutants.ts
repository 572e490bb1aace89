/** Brokers with one fault each. */
import { defineProtocol, type Handlers, listen, type ServerMessage } from 'wirechart';
import { bits, bytes, frame, is, isBits, u8, ubits, varint, within } from 'wirechart/fields';
import { verify } from 'wirechart/verify';
import { Broker } from './broker.ts';
import type { MqttSession } from './client-state.ts';
import { frames } from './frames.ts';
import { mqttMachine } from './machine.ts';
import { mqtt } from './protocol.ts';

type MqttHandlers = Handlers<typeof frames>;
type Told = ServerMessage<typeof mqtt>;
/** What of a broker's handlers is bent. */
export type Bent = (right: MqttHandlers, session: MqttSession) => Partial<MqttHandlers>;

/** Serves a broker that is bent, and verifies it. */
export async function verified(bent: Bent, served = mqtt, sweep = false) {
  const broker = new Broker();
  const bentHandlers = (session: MqttSession): MqttHandlers => {
    const right = broker.handlers(session);
    return { ...right, ...bent(right, session) };
  };
  const server = await listen(served, bentHandlers, { host: '127.0.0.1', port: 0 });
  try {
    return await verify(mqtt, { host: '127.0.0.1', port: server.port, k: 0, sweep });
  } finally {
    await server.close();
  }
}

type Name = Exclude<keyof MqttHandlers, 'caughtUp' | 'ended'>;

/** Answers of one handler, bent word by word: a word may become none, or several. */
function saying(name: Name, bend: (word: Told) => readonly Told[]): Bent {
  return (right) => {
    const handler: unknown = right[name];
    if (typeof handler !== 'function') throw new TypeError(`${name} is no method`);
    const bentHandler = (message: unknown) => {
      const reply: Told | readonly Told[] | undefined = Reflect.apply(handler, right, [message]);
      if (reply === undefined) return undefined;
      return 'type' in reply ? bend(reply) : reply.flatMap(bend);
    };
    return { [name]: bentHandler };
  };
}

const otherId = (word: Told): readonly Told[] => [
  'id' in word && word.id !== undefined ? { ...word, id: word.id + 1 } : word,
];
const only = <T extends Told['type']>(
  type: T,
  bend: (word: Extract<Told, { readonly type: T }>) => readonly Told[],
) => {
  const isIt = (word: Told): word is Extract<Told, { readonly type: T }> => word.type === type;
  return (word: Told): readonly Told[] => (isIt(word) ? bend(word) : [word]);
};

/** The five that every verifier of brokers must see. */
export const five: Readonly<Record<string, readonly [Bent, RegExp]>> = {
  'nothing is ever delivered': [
    () => ({
      SUBSCRIBE: ({ id, filters }) => ({ type: 'server.SUBACK', id, codes: filters.map(({ qos }) => qos) }),
    }),
    /PUBLISH was never delivered/,
  ],
  'delivered twice': [
    (right) => ({
      PUBLISH1(message) {
        call(right.PUBLISH1, message);
        return call(right.PUBLISH1, message);
      },
    }),
    /PUBLISH was delivered once more than it should/,
  ],
  'foreign content': [
    (right) => ({
      PUBLISH1: (message) => call(right.PUBLISH1, { ...message, payload: Buffer.from('foreign') }),
    }),
    /PUBLISH was delivered: payload must be "hello/,
  ],
  'a wrong id': [saying('PUBLISH1', otherId), /id 4097 must come back, and 4098 did/],
  'too few codes': [
    saying(
      'SUBSCRIBE',
      only('server.SUBACK', (word) => [{ ...word, codes: word.codes.slice(1) }]),
    ),
    /codes must be as many as filters, 3, and are 2/,
  ],
};

function call<M, R>(handler: ((message: M) => R) | object, message: M): R {
  if (typeof handler !== 'function') throw new TypeError('expected a method');
  return Reflect.apply(handler, undefined, [message]);
}

/** Others that answer or deliver wrongly. */
export const bents: Readonly<Record<string, Bent>> = {
  'PUBREC with another id': saying('PUBLISH2', otherId),
  'PUBCOMP with another id': saying('PUBREL', otherId),
  'PUBREL with another id': saying('PUBREC', otherId),
  'SUBACK with another id': saying('SUBSCRIBE', only('server.SUBACK', otherId)),
  'UNSUBACK with another id': saying('UNSUBSCRIBE', otherId),
  'SUBACK twice': saying(
    'SUBSCRIBE',
    only('server.SUBACK', (word) => [word, word]),
  ),
  'PINGRESP twice': saying('PINGREQ', (word) => [word, word]),
  'PUBREC in place of PUBACK': saying('PUBLISH1', () => [{ type: 'server.PUBREC', id: 4097 }]),
  'every subscription granted QoS 0': saying(
    'SUBSCRIBE',
    only('server.SUBACK', (word) => [{ ...word, codes: word.codes.map(() => 0) }]),
  ),
  'every subscription refused': saying(
    'SUBSCRIBE',
    only('server.SUBACK', (word) => [{ ...word, codes: word.codes.map(() => 0x80) }]),
  ),
  'nothing retained is sent': saying(
    'SUBSCRIBE',
    only('server.PUBLISH', () => []),
  ),
  'retained sent twice': saying(
    'SUBSCRIBE',
    only('server.PUBLISH', (word) => [word, word]),
  ),
  'retained without its flag': saying(
    'SUBSCRIBE',
    only('server.PUBLISH', (word) => [{ ...word, retain: false }]),
  ),
  'retained with another content': saying(
    'SUBSCRIBE',
    only('server.PUBLISH', (word) => [{ ...word, payload: Buffer.from('other') }]),
  ),
  'another level is welcome': (right) => ({
    CONNECT: (message) =>
      message.level === 4 ? call(right.CONNECT, message) : { type: 'server.CONNACK', sessionPresent: false },
  }),
  'nobody is welcome': (right) => ({
    CONNECT: (message) => call(right.CONNECT, { ...message, cleanSession: true }),
  }),
  'another code for a level': saying(
    'CONNECT',
    only('server.REFUSAL', (word) => [{ ...word, code: word.code === 1 ? 3 : word.code }]),
  ),
  'QoS 1 delivered as QoS 0': (right) => ({
    PUBLISH1(message) {
      call(right.PUBLISH0, {
        type: 'client.PUBLISH0',
        retain: false,
        topic: message.topic,
        payload: message.payload,
      });
      return { type: 'server.PUBACK', id: message.id };
    },
  }),
  'QoS 0 not delivered': () => ({ PUBLISH0: () => undefined }),
  'QoS 0 delivered twice': (right) => ({
    PUBLISH0(message) {
      call(right.PUBLISH0, message);
      return call(right.PUBLISH0, message);
    },
  }),
  'delivered on another topic': (right) => ({
    PUBLISH0: (message) => call(right.PUBLISH0, { ...message, topic: `wirechart/x${message.topic.length}` }),
  }),
  'PINGREQ ends the connection': (_, session) => ({
    PINGREQ() {
      session.close();
      return undefined;
    },
  }),
  'PUBACK ends the connection': (_, session) => ({
    PUBACK() {
      session.close();
      return undefined;
    },
  }),
};

/** Faults that show to nobody who sends what the samples send. */
export const invisible: Readonly<Record<string, Bent>> = {
  'QoS 2 is never delivered: when it is due, the specification leaves open': () => ({
    PUBLISH2: ({ id }) => ({ type: 'server.PUBREC', id }),
  }),
  'UNSUBSCRIBE does nothing: it takes a subscriber that hears on': () => ({
    UNSUBSCRIBE: ({ id }) => ({ type: 'server.UNSUBACK', id }),
  }),
  'no will is published: it takes a client that dies': () => ({ ended: () => {} }),
};

const { violation, malformed, unreadable, samples } = mqtt;
const serving = {
  name: 'mqtt',
  port: 0,
  machine: mqttMachine,
  frames,
  violation,
  malformed,
  unreadable,
  samples,
};

/** Servers of a declaration that is bent: they take what is no packet, or at another moment. */
export const lenient: Readonly<Record<string, typeof mqtt>> = {
  'what is malformed does not end the connection': defineProtocol({
    ...serving,
    malformed: { closes: false },
  }),
  'a second CONNECT does not end the connection': defineProtocol({
    ...serving,
    violation: { closes: false },
  }),
  'PINGREQ with any flags and content': defineProtocol({
    ...serving,
    frames: {
      ...frames,
      'client.PINGREQ': frame(
        bits({ kind: isBits(12, 4), flags: ubits(4) }),
        within(varint({ max: 1000 }), { content: bytes('rest') }),
      ),
    },
  }),
};

/** Not found either: a code is tried in front of the content of another packet, and alone; this one is taken with none. */
export const takenBare = defineProtocol({
  ...serving,
  frames: {
    ...frames,
    'client.PINGREQ': frame(bits({ kind: isBits(12, 4), flags: ubits(4) }), is(u8(), 0)),
  },
});
