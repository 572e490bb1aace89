import { expect, test } from 'vitest';
import type { Random } from '../../../src/transport/fields/index.ts';
import { cut, type Message, seeded } from '../layouts/decoding.ts';
import { mqtt } from '../layouts/mqtt.ts';
import { mqttPacket } from './libraries.ts';
import { plain, readCut, written } from './proof.ts';

const SEED = 311;
const MESSAGES = 1_000_000;

/** What the library refuses, since the specification does: it is no question of layout. */
function sensible(message: Message): Message {
  switch (message.type) {
    case 'CONNECT': {
      const { password, will, ...others } = message;
      const named = message['username'] === undefined ? {} : { password };
      const flags =
        will === undefined
          ? { willRetain: false, willQos: 0 }
          : { will: { topic: 'gone', payload: Buffer.from(JSON.stringify(plain(will))) } };
      return { ...others, cleanSession: true, ...named, ...flags };
    }
    case 'PUBLISH':
      return {
        ...message,
        topic: `t${message['topic']}`.replace(/[+#]/g, ''),
        dup: message['qos'] !== 0 && message['dup'],
      };
    case 'SUBACK':
      return { ...message, codes: [0, 1, 2, 0x80] };
    default:
      return message;
  }
}

/** Reads and writes as the library does. */
function byLibrary(bytes: Uint8Array, random: Random): Buffer {
  const parser = mqttPacket.parser();
  const again: Buffer[] = [];
  parser.on('packet', (packet) => again.push(mqttPacket.generate(packet)));
  for (const piece of cut(bytes, random, 3_000)) parser.parse(Buffer.from(piece));
  return Buffer.concat(again);
}

test.each(['client', 'server'] as const)(
  `${MESSAGES} messages of an MQTT %s are the same bytes to mqtt-packet, both ways (seed ${SEED})`,
  (sender) => {
    const random = seeded(SEED);
    const frames = mqtt[sender];
    for (const batch of written(frames, MESSAGES, random, sensible)) {
      const bytes = Buffer.concat(batch.map((each) => each.bytes));
      const again = byLibrary(bytes, random);
      expect(again.equals(bytes)).toBe(true);
      expect(readCut(frames, again, random)).toEqual(batch.map(({ message }) => plain(message)));
    }
  },
);
