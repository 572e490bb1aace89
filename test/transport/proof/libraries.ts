import { createRequire } from 'node:module';

/** What is asked of the libraries here: they have no types, or others. */
export interface MqttPacket {
  generate(packet: object): Buffer;
  parser(): {
    on(event: 'packet', listener: (packet: object) => void): void;
    parse(chunk: Uint8Array): number;
  };
}

export interface PostgresParser {
  parse(chunk: Uint8Array, listener: (message: Readonly<Record<string, unknown>>) => void): void;
}

/** Makes bytes of a client's message. */
export interface PostgresSerializer {
  query(text: string): Buffer;
  parse(query: { name: string; text: string; types: readonly number[] }): Buffer;
  bind(config: { portal: string; statement: string; values: readonly (string | null)[] }): Buffer;
  execute(config: { portal: string; rows: number }): Buffer;
  describe(target: { type: 'S' | 'P'; name: string }): Buffer;
  close(target: { type: 'S' | 'P'; name: string }): Buffer;
  sync(): Buffer;
  flush(): Buffer;
  end(): Buffer;
}

export interface RedisParser {
  execute(chunk: Uint8Array): void;
}

const require = createRequire(import.meta.url);

export const mqttPacket: MqttPacket = require('mqtt-packet');
export const {
  Parser: PostgresParser,
}: { readonly Parser: new () => PostgresParser } = require('pg-protocol/dist/parser.js');
export const {
  serialize,
}: { readonly serialize: PostgresSerializer } = require('pg-protocol/dist/serializer.js');
export const RedisParser: new (options: {
  returnReply(reply: unknown): void;
  returnError(error: unknown): void;
  returnBuffers: boolean;
}) => RedisParser = require('redis-parser');
