import { expect, test } from 'vitest';
import { cut, type Message, seeded } from '../layouts/decoding.ts';
import { postgres } from '../layouts/postgres.ts';
import { PostgresParser, serialize } from './libraries.ts';
import { plain, readCut, written } from './proof.ts';

const SEED = 5432;
const MESSAGES = 1_000_000;
const text = (value: unknown) => String(value);

/** The same message by the library; `undefined` where it has no words for it. */
const WRITTEN: Readonly<Record<string, (message: Readonly<Record<string, unknown>>) => Buffer | undefined>> =
  {
    QUERY: ({ query }) => serialize.query(text(query)),
    PARSE: ({ statement, query, types }) =>
      serialize.parse({ name: text(statement), text: text(query), types: Array.isArray(types) ? types : [] }),
    DESCRIBE: ({ kind, name }) =>
      serialize.describe({ type: kind === 'portal' ? 'P' : 'S', name: text(name) }),
    CLOSE: ({ kind, name }) => serialize.close({ type: kind === 'portal' ? 'P' : 'S', name: text(name) }),
    EXECUTE: ({ portal, rows }) => serialize.execute({ portal: text(portal), rows: Number(rows) }),
    SYNC: () => serialize.sync(),
    FLUSH: () => serialize.flush(),
    TERMINATE: () => serialize.end(),
  };

/** What the library tells of a server's message, in its own words. */
const TOLD: Readonly<Record<string, (message: Readonly<Record<string, unknown>>) => object>> = {
  KEY: ({ process, key }) => ({ name: 'backendKeyData', processID: signed(process), secretKey: signed(key) }),
  PARAMETER: ({ name, value }) => ({ name: 'parameterStatus', parameterName: name, parameterValue: value }),
  READY: ({ status }) => ({
    name: 'readyForQuery',
    status: status === 'idle' ? 'I' : status === 'transaction' ? 'T' : 'E',
  }),
  DATA_ROW: ({ columns }) => ({ name: 'dataRow', fields: columns }),
  COMPLETE: ({ tag }) => ({ name: 'commandComplete', text: tag }),
  NOTIFICATION: ({ process, channel, payload }) => ({
    name: 'notification',
    processId: signed(process),
    channel,
    payload,
  }),
  EMPTY: () => ({ name: 'emptyQuery' }),
  PARSED: () => ({ name: 'parseComplete' }),
  BOUND: () => ({ name: 'bindComplete' }),
  CLOSED: () => ({ name: 'closeComplete' }),
  NO_DATA: () => ({ name: 'noData' }),
  SUSPENDED: () => ({ name: 'portalSuspended' }),
};

/** The library reads all numbers of four bytes with a sign. */
function signed(value: unknown): number {
  return Number(value) | 0;
}

/** The frames of which the library knows the message, too. */
function known<F>(frames: Readonly<Record<string, F>>, words: object): Readonly<Record<string, F>> {
  return Object.fromEntries(Object.entries(frames).filter(([name]) => name in words));
}

/** Numbers of rows are written with a sign by the library. */
function sensible(message: Message): Message {
  return message.type === 'EXECUTE' ? { ...message, rows: Number(message['rows']) >>> 1 } : message;
}

test(`${MESSAGES} messages of a PostgreSQL client are the same bytes as pg-protocol's (seed ${SEED})`, () => {
  const random = seeded(SEED);
  const frames = known(postgres.client, WRITTEN);
  for (const batch of written(frames, MESSAGES, random, sensible)) {
    const theirs = batch.map(({ message }) => WRITTEN[message.type]?.(message) ?? Buffer.alloc(0));
    const bytes = Buffer.concat(theirs);
    expect(bytes.equals(Buffer.concat(batch.map((each) => each.bytes)))).toBe(true);
    expect(readCut(frames, bytes, random)).toEqual(batch.map(({ message }) => plain(message)));
  }
});

test(`${MESSAGES} messages of a PostgreSQL server are the same to pg-protocol (seed ${SEED})`, () => {
  const random = seeded(SEED);
  const frames = known(postgres.server, TOLD);
  for (const batch of written(frames, MESSAGES, random)) {
    const bytes = Buffer.concat(batch.map((each) => each.bytes));
    const parser = new PostgresParser();
    const theirs: unknown[] = [];
    for (const piece of cut(bytes, random, 3_000))
      parser.parse(Buffer.from(piece), (message) => theirs.push(message));
    const ours = batch.map(({ message }) => TOLD[message.type]?.(message));
    expect(theirs.length).toBe(ours.length);
    // Of what the library tells beside that, its own lengths, there is nothing to compare.
    for (const [index, message] of ours.entries()) expect(theirs[index]).toMatchObject(message ?? {});
    expect(readCut(frames, bytes, random)).toEqual(batch.map(({ message }) => plain(message)));
  }
});
