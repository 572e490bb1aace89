import { expect, test } from 'vitest';
import { cut, seeded } from '../layouts/decoding.ts';
import { resp, type Value } from '../layouts/resp.ts';
import { RedisParser } from './libraries.ts';
import { plain, readCut, written } from './proof.ts';

const SEED = 6379;
const MESSAGES = 1_000_000;

/** A value as the library gives it. */
function asReply(value: Value): unknown {
  switch (value.kind) {
    case 'simple':
      return Buffer.from(value.text);
    case 'error':
      return value.text;
    case 'integer':
      return value.number;
    case 'bulk':
      return value.content;
    case 'array':
      return value.items?.map(asReply) ?? null;
  }
}

function isReply(message: object): message is { readonly value: Value } {
  return 'value' in message;
}

function byLibrary(pieces: Iterable<Uint8Array>): unknown[] {
  const replies: unknown[] = [];
  const message = (error: unknown) => (error instanceof Error ? error.message : error);
  const inside = (reply: unknown): unknown => (Array.isArray(reply) ? reply.map(inside) : message(reply));
  const parser = new RedisParser({
    returnBuffers: true,
    returnReply: (reply) => replies.push(inside(reply)),
    returnError: (error) => replies.push(message(error)),
  });
  for (const piece of pieces) parser.execute(Buffer.from(piece));
  return replies;
}

test(`${MESSAGES} values of a Redis server are the same to redis-parser (seed ${SEED})`, () => {
  const random = seeded(SEED);
  for (const batch of written(resp.server, MESSAGES, random)) {
    const bytes = Buffer.concat(batch.map((each) => each.bytes));
    const values = batch.map(({ message }) => (isReply(message) ? asReply(message.value) : message));
    expect(byLibrary(cut(bytes, random, 3_000)).map(plain)).toEqual(values.map(plain));
    expect(readCut(resp.server, bytes, random)).toEqual(batch.map(({ message }) => plain(message)));
  }
});

test(`${MESSAGES} commands of a Redis client are the same to redis-parser (seed ${SEED})`, () => {
  const random = seeded(SEED);
  for (const batch of written(resp.client, MESSAGES, random)) {
    const bytes = Buffer.concat(batch.map((each) => each.bytes));
    expect(byLibrary(cut(bytes, random, 3_000)).map(plain)).toEqual(
      batch.map(({ message }) => plain(message['words'])),
    );
    expect(readCut(resp.client, bytes, random)).toEqual(batch.map(({ message }) => plain(message)));
  }
});
