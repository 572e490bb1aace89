import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { ClientRequestArgs } from 'node:http';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from 'graphql-ws';
import { afterEach, expect, test } from 'vitest';
import { connect, listen } from 'wirechart';
import { verify, waiversOf } from 'wirechart/verify';
import { WebSocket } from 'ws';
import { demoSchema } from './module.ts';
import { operations } from './operations.ts';
import { graphqlTransport } from './protocol.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function ours(options = {}) {
  const server = await listen(graphqlTransport, operations(demoSchema(5)), {
    host: '127.0.0.1',
    port: 0,
    webSocket: {},
    ...options,
  });
  closers.push(() => server.close());
  return `ws://${server.address}/graphql`;
}

/** The server of the package graphql-ws. */
async function theirs() {
  const path = fileURLToPath(new URL('server.mjs', import.meta.url));
  const child = spawn(process.execPath, [path], { stdio: ['ignore', 'pipe', 'inherit'] });
  closers.push(() => child.kill());
  const [line] = await once(child.stdout, 'data');
  return String(line).trim();
}

/** The client of the package graphql-ws. */
function client(url: string, more = {}): Client {
  const made = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0, ...more });
  closers.push(() => made.dispose());
  return made;
}

test('graphql-ws as the client: queries, subscriptions side by side, one that is left in the middle, errors', async () => {
  const made = client(await ours(), { keepAlive: 10 });
  const all = async (query: string, most = 100) => {
    const heard: unknown[] = [];
    for await (const { data } of made.iterate({ query })) {
      heard.push(data);
      if (heard.length === most) break;
    }
    return heard;
  };
  expect(await all('{ hello }')).toEqual([{ hello: 'world' }]);
  const [three, five, left] = await Promise.all([
    all('subscription { countdown(from: 3) }'),
    all('subscription { countdown(from: 5) }'),
    all('subscription { countdown(from: 1000) }', 2),
  ]);
  expect([three.length, five.length, left]).toEqual([4, 6, [{ countdown: 1000 }, { countdown: 999 }]]);
  await expect(all('{ nothing }')).rejects.toMatchObject([{ message: expect.stringContaining('nothing') }]);
  expect(await all('{ hello }')).toEqual([{ hello: 'world' }]);
});

test.each([
  [
    'an operation before the connection is acknowledged',
    ['{"type":"subscribe","id":"1","payload":{"query":"{hello}"}}'],
    4401,
  ],
  ['a second INIT', ['{"type":"connection_init"}', '{"type":"connection_init"}'], 4429],
  ['what is no message', ['{"type":"connection_init"}', '{"type":"nothing"}'], 4400],
  ['what is no JSON', ['hello?'], 4400],
  ['a message without its id', ['{"type":"connection_init"}', '{"type":"complete"}'], 4400],
  [
    'an id that is in use',
    [
      '{"type":"connection_init"}',
      ...Array(2).fill(
        '{"type":"subscribe","id":"1","payload":{"query":"subscription{countdown(from:1000)}"}}',
      ),
    ],
    4409,
  ],
  ['nothing at all, for too long', [], 4408],
])('%s closes with its status', async (_, texts, status) => {
  const socket = new WebSocket(await ours({ handshakeTimeout: 100 }), 'graphql-transport-ws');
  const closed = once(socket, 'close');
  await once(socket, 'open');
  for (const text of texts) socket.send(text);
  expect((await closed)[0]).toBe(status);
});

/** Sends these texts behind an INIT, and answers what came back until so many operations have failed. */
async function failures(texts: readonly string[], count: number) {
  const below = new Socket();
  const socket = new WebSocket(await ours(), 'graphql-transport-ws', {
    createConnection: ({ port }: ClientRequestArgs) => below.connect(Number(port), '127.0.0.1'),
  });
  closers.push(() => socket.terminate());
  await once(socket, 'open');
  const failed: { readonly id: string; readonly payload: readonly { readonly message: string }[] }[] = [];
  socket.on('message', (text) => {
    const message = JSON.parse(String(text));
    if (message.type === 'error') failed.push(message);
  });
  // In one piece, so that nothing ends meanwhile.
  below.cork();
  for (const text of ['{"type":"connection_init"}', ...texts]) socket.send(text);
  below.uncork();
  await expect.poll(() => failed.length).toBe(count);
  return failed;
}
const subscribing = (id: string, query: string) =>
  JSON.stringify({ type: 'subscribe', id, payload: { query } });
const endless = 'subscription { countdown(from: 2000000000) }';

test('a client runs at most 100 operations, those that it gives up at once included', async () => {
  const ids = Array.from({ length: 110 }, (_, index) => `${index}`);
  const more = await failures(
    ids.map((id) => subscribing(id, endless)),
    10,
  );
  expect(more.map(({ id }) => id)).toEqual(ids.slice(100));
  expect(more[0]?.payload).toEqual([{ message: 'more than 100 operations at once' }]);
  const given = ids.flatMap((id) => [subscribing(id, endless), JSON.stringify({ type: 'complete', id })]);
  expect(await failures(given, 10)).toHaveLength(10);
});

test('a query of more than 1,000 tokens is not looked at', async () => {
  const [failed] = await failures([subscribing('q', `{${' hello'.repeat(9000)}}`)], 1);
  expect(failed?.payload[0]?.message).toContain('1000 tokens');
  expect(await failures([subscribing('q', `{${' hello'.repeat(90)} nothing}`)], 1)).toMatchObject([
    { payload: [{ message: expect.stringContaining('nothing') }] },
  ]);
});

test('our client speaks to the server of graphql-ws', async () => {
  const heard: unknown[] = [];
  const url = await theirs();
  await new Promise<void>((resolve, reject) => {
    connect(
      graphqlTransport,
      (session) => ({
        ACK() {
          for (const id of ['a', 'b'])
            session.push({
              type: 'client.SUBSCRIBE',
              id,
              payload: { query: 'subscription { countdown(from: 2) }' },
            });
          return undefined;
        },
        NEXT: ({ id, payload }) => void heard.push([id, payload.data]),
        ERROR: () => undefined,
        COMPLETE({ id }) {
          heard.push(id);
          if (heard.includes('a') && heard.includes('b')) session.close();
          return undefined;
        },
        PING: () => ({ type: 'client.PONG' }),
        PONG: () => undefined,
        FORBIDDEN: () => undefined,
        EXISTS: () => undefined,
        INVALID: () => undefined,
        UNAUTHORIZED: () => undefined,
        TOO_SLOW: () => undefined,
        TOO_MANY: () => undefined,
        FAILED: () => undefined,
        ended: () => resolve(),
      }),
      { host: url },
    ).then((session) => session.push({ type: 'client.INIT' }), reject);
  });
  expect(heard.filter((one) => Array.isArray(one) && one[0] === 'a')).toEqual(
    [2, 1, 0].map((countdown) => ['a', { countdown }]),
  );
  expect(heard.length).toBe(8);
});

test('our server conforms', async () => {
  const { verdict, reason, plan, faults } = await verify(graphqlTransport, {
    host: await ours(),
    port: 0,
    k: 1,
  });
  expect([verdict, reason, faults.map(({ dialogue }) => dialogue.test.id)]).toEqual([
    'conforms',
    undefined,
    [],
  ]);
  expect(plan?.tests).toBeGreaterThan(100);
}, 60_000);

test('the server of graphql-ws conforms, but for a status', async () => {
  const { verdict, reason, faults } = await verify(graphqlTransport, {
    host: await theirs(),
    port: 0,
    k: 1,
    waivers: waiversOf(JSON.parse(readFileSync(new URL('waivers.json', import.meta.url), 'utf8'))),
  });
  expect(faults.map(({ dialogue }) => dialogue.test.id)).toEqual(['server.ACK']);
  expect([verdict, reason]).toEqual(['conforms', undefined]);
}, 60_000);
