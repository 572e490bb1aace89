/**
 * Frames of well-known protocols, decoded and encoded side by side with the libraries that are made for them: the least of
 * rounds in turn, to which whatever else runs on the machine only adds, in one process in which all frames were decoded
 * before. `--closures` decodes without our generated code.
 */
import { createRequire } from 'node:module';
import { Decoder } from '../../src/transport/decoder.ts';
import { bytes, type Frame, frame, u8, u16le } from '../../src/transport/fields/index.ts';
import { Inbox } from '../../src/transport/inbox.ts';
import { mqtt } from '../../test/transport/layouts/mqtt.ts';
import { postgres } from '../../test/transport/layouts/postgres.ts';
import { resp } from '../../test/transport/layouts/resp.ts';

const require = createRequire(import.meta.url);
const mqttPacket = require('mqtt-packet');
const { Parser: PostgresParser } = require('pg-protocol/dist/parser.js');
const RedisParser = require('redis-parser');
const { Compiler } = require('protodef');

const closures = process.argv.includes('--closures');
const TIMES = 1_000;
const ROUNDS = 15;
let used = 0;

interface Contender {
  readonly name: string;
  run(): void;
}

function decoding(frames: Readonly<Record<string, Frame>>, wire: Uint8Array): () => void {
  const decoder = new Decoder(
    Object.entries(frames).map(([name, frame], event) => ({ type: name, name, event, frame })),
  );
  return () => {
    const inbox = new Inbox(wire);
    while (inbox.at < inbox.end) {
      const entry = decoder.identify(inbox);
      inbox.doubted = closures;
      const message = entry && decoder.read(inbox, entry);
      if (message === undefined) throw new Error('a frame of the bench is none');
      used += message.type.length;
    }
  };
}

function written(frame: Frame, message: object): Buffer {
  const into = Buffer.allocUnsafe(frame.size(message));
  frame.write(message, into, 0);
  return into;
}

const many = (one: Uint8Array) => Buffer.concat(Array.from({ length: TIMES }, () => one));

function fixed(): readonly Contender[] {
  const ours = frame({ code: u8(), size: u16le(), name: bytes(32) });
  const one = written(ours, { code: 3, size: 515, name: Buffer.alloc(32, 7) });
  const wire = many(one);
  const compiler = new Compiler.ProtoDefCompiler();
  compiler.addTypesToCompile({
    x: [
      'container',
      [
        { name: 'code', type: 'u8' },
        { name: 'size', type: 'lu16' },
        { name: 'name', type: ['buffer', { count: 32 }] },
      ],
    ],
  });
  const compiled = compiler.compileProtoDefSync();
  const byHand = (): void => {
    for (let at = 0; at < wire.length; at += 35) {
      const message = {
        type: 'X',
        code: wire[at],
        size: (wire[at + 1] ?? 0) | ((wire[at + 2] ?? 0) << 8),
        name: new Uint8Array(wire.buffer, wire.byteOffset + at + 3, 32),
      };
      used += message.type.length;
    }
  };
  return [
    { name: 'u8, u16le, 32 bytes: ours', run: decoding({ X: ours }, wire) },
    {
      name: 'protodef compiled',
      run() {
        for (let at = 0; at < wire.length; ) {
          const { value, size } = compiled.read(wire, at, 'x', {});
          used += value.code;
          at += size;
        }
      },
    },
    { name: 'by hand', run: byHand },
  ];
}

const packet = {
  cmd: 'publish',
  dup: false,
  qos: 1,
  retain: false,
  topic: 'sensors/kitchen/temperature',
  messageId: 77,
  payload: Buffer.from('21.5 degrees'),
};
const publish = {
  type: 'PUBLISH',
  dup: false,
  qos: 1,
  retain: false,
  topic: packet.topic,
  id: 77,
  payload: packet.payload,
};

function mqttDecode(): readonly Contender[] {
  const wire = many(mqttPacket.generate(packet));
  const parser = mqttPacket.parser();
  parser.on('packet', (each: { qos: number }) => {
    used += each.qos;
  });
  return [
    { name: 'MQTT PUBLISH QoS 1, decode: ours', run: decoding(mqtt.client, wire) },
    { name: 'mqtt-packet', run: () => void parser.parse(wire) },
  ];
}

function mqttEncode(): readonly Contender[] {
  const { PUBLISH } = mqtt.client;
  const wire = mqttPacket.generate(packet);
  if (!written(PUBLISH, publish).equals(wire)) throw new Error('not the same bytes');
  return [
    {
      name: 'MQTT PUBLISH QoS 1, encode: ours',
      run() {
        for (let count = 0; count < TIMES; count++) used += written(PUBLISH, publish).length;
      },
    },
    {
      name: 'mqtt-packet',
      run() {
        for (let count = 0; count < TIMES; count++) used += mqttPacket.generate(packet).length;
      },
    },
  ];
}

function postgresDecode(): readonly Contender[] {
  const { DATA_ROW } = postgres.server;
  const row = { type: 'DATA_ROW', columns: ['1', 'kitchen', '21.5 degrees', null, '2026-11-25 01:00:00'] };
  const key = DATA_ROW.fields[0]?.key ?? '';
  const wire = many(written(DATA_ROW, { type: 'DATA_ROW', [key]: row.columns }));
  const parser = new PostgresParser();
  return [
    { name: 'PostgreSQL DataRow, decode: ours', run: decoding(postgres.server, wire) },
    {
      name: 'pg-protocol',
      run: () =>
        parser.parse(wire, (message: { name: string }) => {
          used += message.name.length;
        }),
    },
  ];
}

function redisDecode(): readonly Contender[] {
  const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
  const one = `*5\r\n${['set', 'kitchen', '21.5 degrees', 'px', '1000'].map(bulk).join('')}`;
  const wire = many(Buffer.from(one));
  const parser = new RedisParser({
    returnReply(reply: readonly unknown[]) {
      used += reply.length;
    },
    returnError() {},
    returnBuffers: true,
  });
  return [
    { name: 'RESP array, decode (command): ours', run: decoding(resp.client, wire) },
    { name: 'RESP array, decode (any value): ours', run: decoding(resp.server, wire) },
    { name: 'redis-parser', run: () => parser.execute(wire) },
  ];
}

const groups = [fixed(), mqttDecode(), mqttEncode(), postgresDecode(), redisDecode()];
const nanoseconds = new Map<Contender, number[]>();
for (let round = -3; round < ROUNDS; round++) {
  for (const contender of groups.flat()) {
    const begun = process.hrtime.bigint();
    for (let times = 0; times < 20; times++) contender.run();
    const took = Number(process.hrtime.bigint() - begun) / 20 / TIMES;
    if (round >= 0) nanoseconds.set(contender, [...(nanoseconds.get(contender) ?? []), took]);
  }
}
const least = (all: readonly number[]) => Math.min(...all);
for (const group of groups) {
  const times = group.map((contender) => ({ ...contender, time: least(nanoseconds.get(contender) ?? []) }));
  const others = times.filter(({ name }) => !name.endsWith('ours'));
  for (const { name, time } of times) {
    const ratios = name.endsWith('ours')
      ? others.map((other) => `${(time / other.time).toFixed(2)} of ${other.name}`)
      : [];
    console.log(`${name.padEnd(40)} ${time.toFixed(0).padStart(6)} ns  ${ratios.join(', ')}`);
  }
}
if (Number.isNaN(used)) throw new Error('a bench answered no number');
