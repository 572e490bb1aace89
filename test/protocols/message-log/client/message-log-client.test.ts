import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import {
  MessageLogClient,
  MessageLogError,
  type MessageLogErrorCode,
} from '../../../../src/protocols/message-log/client/index.ts';
import { freePort } from '../../../support/tcp-server.ts';
import { messageLogServer, oldServer, rawServer, silentPort } from './message-log-server.ts';

const host = '127.0.0.1';

async function failure(promise: Promise<unknown>): Promise<MessageLogError> {
  const reason = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(reason instanceof MessageLogError)) throw new Error(`expected a MessageLogError, got ${reason}`);
  return reason;
}

function codes(results: readonly PromiseSettledResult<void>[]): (MessageLogErrorCode | 'ok')[] {
  return results.map((result) => (result.status === 'fulfilled' ? 'ok' : result.reason.code));
}

test('logs in at once, appends, says goodbye', async () => {
  const server = await messageLogServer();
  const client = new MessageLogClient('ann', 'Aardvark', { host, port: server.port });
  await client.msg('one');
  expect(client.connected).toBe(true);
  await client.msg(Buffer.from('two'));
  await client.disconnect();
  expect(client.connected).toBe(false);
  expect(await client.ended).toBeUndefined();
  expect(client.acknowledged).toBe(2);
  expect(await server.log()).toBe('[ann]: one\r\n[ann]: two\r\n');
});

test('an old server refuses the goodbye: the client has done its work', async () => {
  const old = await oldServer();
  const warnings: string[] = [];
  const onWarning = (text: string) => warnings.push(text);
  const client = new MessageLogClient('ann', 'Aardvark', { host, port: old.port, onWarning });
  await Promise.all([client.msg('one'), client.msg('two')]);
  await client.disconnect();
  expect(await client.ended).toBeUndefined();
  expect(client.acknowledged).toBe(2);
  expect(old.log).toEqual(['one', 'two']);
  expect(warnings).toEqual([expect.stringContaining('refused the goodbye, as old servers do')]);
});

test('connects to localhost by default, whichever address family that is', async () => {
  const server = await messageLogServer();
  const client = new MessageLogClient('ann', 'A', { port: server.port });
  await client.connect();
  await client.disconnect();
});

test('waits for connect() when it is deferred', async () => {
  const server = await messageLogServer();
  const client = new MessageLogClient('ann', 'A', { host, port: server.port, defer: true });
  expect(await failure(client.msg('early'))).toMatchObject({ code: 'disconnected', sent: false });
  await client.disconnect();
  await client.connect();
  await client.msg('in time');
  await client.disconnect();
  expect(await server.log()).toBe('[ann]: in time\r\n');
});

test('changes its name between sessions, not within one', async () => {
  const server = await messageLogServer();
  const client = new MessageLogClient('ann', 'A', { host, port: server.port });
  await client.msg('first');
  expect(() => {
    client.name = 'bob';
  }).toThrow(/between sessions/);
  await client.disconnect();
  client.name = 'bob';
  await client.connect();
  await client.msg('second');
  await client.disconnect();
  expect(await server.log()).toBe('[ann]: first\r\n[bob]: second\r\n');
});

test('begins a new session behind a goodbye that is under way', async () => {
  const server = await messageLogServer();
  const client = new MessageLogClient('ann', 'A', { host, port: server.port });
  const last = client.msg('last');
  const goodbye = client.disconnect();
  expect(await failure(client.msg('too late'))).toMatchObject({ code: 'disconnected', sent: false });
  await client.connect();
  await Promise.all([last, goodbye, client.msg('new')]);
  await client.disconnect();
  expect(await server.log()).toBe('[ann]: last\r\n[ann]: new\r\n');
});

test('keeps the order of pipelined calls, before the login too', async () => {
  const server = await messageLogServer();
  const client = new MessageLogClient('ann', 'A', { host, port: server.port, window: 7 });
  const settled: number[] = [];
  const texts = Array.from({ length: 3000 }, (_, index) => `message ${index}`);
  await Promise.all(texts.map((text, index) => client.msg(text).then(() => settled.push(index))));
  await client.disconnect();
  expect(settled).toEqual(texts.map((_, index) => index));
  expect(await server.log()).toBe(texts.map((text) => `[ann]: ${text}\r\n`).join(''));
});

test('bounds what waits for those who await drained', async () => {
  const server = await messageLogServer();
  const window = 16;
  const client = new MessageLogClient('ann', 'A', { host, port: server.port, window });
  let waiting = 0;
  let most = 0;
  for (let index = 0; index < 1000; index++) {
    await client.drained;
    waiting++;
    most = Math.max(most, waiting);
    void client.msg('x').then(() => waiting--);
  }
  await client.disconnect();
  expect(client.acknowledged).toBe(1000);
  expect(most).toBeLessThanOrEqual(window);
  expect(most).toBeGreaterThan(1);
});

test('puts no more on the wire than its window', async () => {
  const frame = Buffer.from([3, 1, 0, 0x78]);
  const flights: number[] = [];
  const port = await rawServer((socket) => {
    let held = 0;
    socket.on('data', (bytes) => {
      if (bytes[0] === 1) return void socket.write(Uint8Array.of(0, 0));
      if (bytes[0] === 4) return void socket.end(Uint8Array.of(0));
      held += bytes.length;
      // What the client would send beyond its window would come before it hears of this.
      if (held >= 5 * frame.length || flights.length === 2) setImmediate(answer);
    });
    function answer() {
      const count = held / frame.length;
      if (count === 0) return;
      flights.push(count);
      held = 0;
      socket.write(Buffer.alloc(count));
    }
  });
  const client = new MessageLogClient('ann', 'A', { host, port, window: 5 });
  await Promise.all(Array.from({ length: 12 }, () => client.msg('x')));
  await client.disconnect();
  expect(flights).toEqual([5, 5, 2]);
});

test('sends any bytes: name, password and message', async () => {
  const server = await messageLogServer();
  const every = Uint8Array.from({ length: 256 }, (_, index) => index);
  const client = new MessageLogClient(Uint8Array.of(0xff, 0x5d, 0x01), Uint8Array.of(1, 0, 0xff), {
    host,
    port: server.port,
  });
  await client.msg(every);
  await client.msg(Buffer.alloc(65_535, 'x'));
  await client.disconnect();
  const log = Buffer.from(await server.log(), 'utf8').toString('latin1');
  expect(log).toContain('\\x5d\\x01]: \\x00\\x01');
  expect(log.length).toBeGreaterThan(65_535);
});

test.for([
  ['an empty message', ''],
  ['a message that is too long', Buffer.alloc(65_536)],
] as const)('refuses %s at home, and goes on', async ([, message]) => {
  const server = await messageLogServer();
  const client = new MessageLogClient('ann', 'A', { host, port: server.port });
  const error = await failure(client.msg(message));
  expect(error).toMatchObject({ code: 'invalid', transaction: 'MESSAGE', sent: false });
  await client.msg('fine');
  await client.disconnect();
  expect(await server.log()).toBe('[ann]: fine\r\n');
});

test('refuses a name and a password that no frame carries', () => {
  expect(() => new MessageLogClient('', 'A', { defer: true })).toThrow(/NAME cannot be sent/);
  expect(() => new MessageLogClient('ann', '', { defer: true })).toThrow(/PASSWORD cannot be sent/);
  const secret = 's'.repeat(65_536);
  expect(() => new MessageLogClient('ann', secret, { defer: true })).toThrow(/^(?!.*ss)/);
});

test('reports a refused name', async () => {
  const server = await messageLogServer();
  const client = new MessageLogClient('\0ann', 'A', { host, port: server.port });
  const message = client.msg('never');
  expect(await failure(client.connect())).toMatchObject({ code: 'refused', transaction: 'NAME' });
  const error = await failure(message);
  expect(error).toMatchObject({ code: 'closed', number: 1, sent: false, acknowledged: 0 });
  expect(error.cause).toMatchObject({ code: 'refused', transaction: 'NAME' });
  expect(await server.log()).toBe('');
});

test('reports a refused password, and shows it nowhere', async () => {
  const server = await messageLogServer();
  const client = new MessageLogClient('ann', 'BAD-secret', { host, port: server.port });
  const messages = Promise.allSettled([client.msg('a'), client.msg('b')]);
  const error = await failure(client.connect());
  expect(error).toMatchObject({ code: 'refused', transaction: 'PASSWORD', acknowledged: 0 });
  expect(error.message).toBe(`127.0.0.1:${server.port} refused PASSWORD; 0 acknowledged`);
  expect(codes(await messages)).toEqual(['closed', 'closed']);
  expect(await failure(client.msg('later'))).toMatchObject({ code: 'disconnected', cause: error });
  expect(inspect([client, error, await messages], { depth: 9, showHidden: true })).not.toContain('secret');
});

test('logs in anew after a refusal', async () => {
  let lenient = false;
  const server = await messageLogServer({ authenticate: () => lenient });
  const client = new MessageLogClient('ann', 'pass', { host, port: server.port });
  expect(await failure(client.connect())).toMatchObject({ code: 'refused' });
  lenient = true;
  await client.connect();
  await client.msg('let in');
  await client.disconnect();
  expect(await server.log()).toBe('[ann]: let in\r\n');
});

test('reports which of the pipelined messages was refused', async () => {
  const server = await messageLogServer({ room: 3 });
  const client = new MessageLogClient('ann', 'A', { host, port: server.port });
  const results = await Promise.allSettled(['1', '2', '3', '4', '5'].map((text) => client.msg(text)));
  expect(codes(results)).toEqual(['ok', 'ok', 'ok', 'refused', 'closed']);
  expect(results[3]).toMatchObject({
    reason: { transaction: 'MESSAGE', number: 4, acknowledged: 3, sent: true },
  });
  expect(results[4]).toMatchObject({ reason: { number: 5, acknowledged: 3, cause: { number: 4 } } });
  expect(client.connected).toBe(false);
  await client.disconnect();
  expect(await server.log()).toBe('[ann]: 1\r\n[ann]: 2\r\n[ann]: 3\r\n');
});

test('rejects disconnect() when a message behind which it waits breaks the session', async () => {
  const server = await messageLogServer({ room: 0 });
  const client = new MessageLogClient('ann', 'A', { host, port: server.port });
  const message = failure(client.msg('refused'));
  const goodbye = failure(client.disconnect());
  expect(await message).toMatchObject({ code: 'refused', number: 1 });
  expect(await goodbye).toMatchObject({ code: 'closed', transaction: 'CLOSE', cause: { code: 'refused' } });
});

test('reports that nobody listens', async () => {
  const port = await freePort();
  const client = new MessageLogClient('ann', 'A', { port, defer: true });
  const error = await failure(client.connect());
  expect(error).toMatchObject({ code: 'unreachable', sent: false, cause: { code: 'ECONNREFUSED' } });
  expect(error.message).toContain(`cannot connect to localhost:${port} (ECONNREFUSED)`);
});

test('does not trouble a program that never asked with the failure of its constructor', async () => {
  const client = new MessageLogClient('ann', 'A', { host, port: await freePort() });
  await client.drained;
  expect(await client.ended).toMatchObject({ code: 'unreachable' });
  expect(client.connected).toBe(false);
});

test('reports that a host does not exist', async () => {
  const client = new MessageLogClient('ann', 'A', { host: 'no-such-host.invalid', defer: true });
  expect(await failure(client.connect())).toMatchObject({ code: 'unreachable', transaction: 'NAME' });
});

test.for(['end', 'resetAndDestroy'] as const)(
  'tells each message in flight when the connection is lost (%s)',
  async (how) => {
    const port = await rawServer((socket) => {
      let received = 0;
      socket.on('data', (bytes) => {
        if (bytes[0] === 1) return void socket.write(Uint8Array.of(0, 0));
        received += bytes.length;
        if (received < 4 * 4) return;
        socket.write(Uint8Array.of(0, 0), () => socket[how]());
      });
    });
    const client = new MessageLogClient('ann', 'A', { host, port, window: 4 });
    const results = await Promise.allSettled(Array.from({ length: 6 }, () => client.msg('x')));
    // A reset may overtake answers that were sent before it.
    if (how === 'end') expect(codes(results).slice(0, 2)).toEqual(['ok', 'ok']);
    expect(codes(results).slice(2)).toEqual(['closed', 'closed', 'closed', 'closed']);
    const { acknowledged } = client;
    expect(results[3]).toMatchObject({ reason: { number: 4, acknowledged, sent: true } });
    if (how === 'end') expect(results[5]).toMatchObject({ reason: { number: 6, acknowledged } });
  },
);

test('tells an idle client that comes back that the session has ended', async () => {
  const server = await messageLogServer();
  const client = new MessageLogClient('ann', 'A', { host, port: server.port });
  await client.msg('one');
  void server.close();
  expect(await client.ended).toMatchObject({ code: 'closed', transaction: undefined, acknowledged: 1 });
  expect(await failure(client.msg('two'))).toMatchObject({ code: 'disconnected', cause: { code: 'closed' } });
});

test('gives up on a server that does not answer', async () => {
  const port = await rawServer((socket) => socket.resume());
  const client = new MessageLogClient('ann', 'A', { host, port, timeout: 50 });
  const error = await failure(client.connect());
  expect(error).toMatchObject({ code: 'timeout', transaction: 'NAME', sent: true });
  expect(error.message).toContain('longer than 50 ms to answer');
});

test('gives a server that goes on answering all the time it needs', async () => {
  let answers = 0;
  const port = await rawServer((socket) => {
    let timer: NodeJS.Timeout | undefined;
    socket.on('close', () => clearInterval(timer));
    socket.on('data', () => {
      timer ??= setInterval(() => {
        answers++;
        socket.write(Uint8Array.of(0));
        if (answers === 15) socket.end();
      }, 50);
    });
  });
  const client = new MessageLogClient('ann', 'A', { host, port, timeout: 500 });
  await Promise.all(Array.from({ length: 12 }, () => client.msg('slow')));
  await client.disconnect();
  expect(client.acknowledged).toBe(12);
});

test('does not count the time in which nothing was asked', async () => {
  const server = await messageLogServer();
  const client = new MessageLogClient('ann', 'A', { host, port: server.port, timeout: 250 });
  await client.msg('one');
  await new Promise((resolve) => setTimeout(resolve, 600));
  await client.msg('two');
  await client.disconnect();
  expect(client.acknowledged).toBe(2);
});

test('gives up connecting in time', async ({ skip }) => {
  const port = await silentPort();
  if (port === undefined) return skip('no port here that neither takes nor refuses');
  const client = new MessageLogClient('ann', 'A', { host, port, connectTimeout: 50 });
  const error = await failure(client.connect());
  expect(error).toMatchObject({ code: 'timeout', sent: false });
  expect(error.message).toContain('longer than 50 ms to answer');
});

test('stops connecting when aborted', async ({ skip }) => {
  const port = await silentPort();
  if (port === undefined) return skip('no port here that neither takes nor refuses');
  const abort = new AbortController();
  const client = new MessageLogClient('ann', 'A', {
    host,
    port,
    signal: abort.signal,
    connectTimeout: Number.POSITIVE_INFINITY,
  });
  const messages = Promise.allSettled([client.msg('a')]);
  abort.abort(new Error('enough'));
  expect(await failure(client.connect())).toMatchObject({ code: 'aborted', cause: { message: 'enough' } });
  expect(codes(await messages)).toEqual(['aborted']);
});

test('does not begin with a signal that is aborted already', async () => {
  const server = await messageLogServer();
  const signal = AbortSignal.abort();
  const client = new MessageLogClient('ann', 'A', { host, port: server.port, signal });
  expect(await failure(client.connect())).toMatchObject({ code: 'aborted', sent: false });
});

test('ends a session when aborted, and says what was acknowledged', async () => {
  const port = await rawServer((socket) => {
    socket.once('data', () => {
      socket.write(Uint8Array.of(0, 0));
      socket.once('data', () => socket.write(Uint8Array.of(0)));
    });
  });
  const abort = new AbortController();
  const client = new MessageLogClient('ann', 'A', { host, port, signal: abort.signal });
  const answered = client.msg('answered');
  const unanswered = client.msg('unanswered');
  await answered;
  abort.abort();
  expect(await failure(unanswered)).toMatchObject({
    code: 'aborted',
    number: 2,
    acknowledged: 1,
    sent: true,
  });
  expect(client.connected).toBe(false);
});

test('withdraws a message that is not sent, and stops waiting for one that is', async () => {
  let sendAnswers = () => {};
  const asked = new Promise<void>((resolve) => {
    sendAnswers = resolve;
  });
  let received = Buffer.alloc(0);
  const port = await rawServer((socket) => {
    socket.on('data', (bytes) => {
      if (bytes[0] !== 3) return void socket.write(Uint8Array.of(0));
      received = Buffer.concat([received, bytes]);
      if (received.includes('z')) return void socket.write(Uint8Array.of(0));
      void asked.then(() => socket.write(Uint8Array.of(0)));
    });
  });
  const client = new MessageLogClient('ann', 'A', { host, port, window: 1 });
  await client.connect();
  const abort = new AbortController();
  const { signal } = abort;
  const sent = failure(client.msg('x', { signal }));
  await Promise.resolve();
  const waiting = failure(client.msg('y', { signal }));
  const last = client.msg('z');
  await Promise.resolve();
  abort.abort();
  expect(await sent).toMatchObject({ code: 'aborted', number: 1, sent: true });
  expect(await waiting).toMatchObject({ code: 'aborted', number: 2, sent: false });
  expect(await failure(client.msg('w', { signal }))).toMatchObject({ code: 'aborted', sent: false });
  sendAnswers();
  await last;
  expect(received.includes('y')).toBe(false);
  expect(received.includes('w')).toBe(false);
  expect(client.acknowledged).toBe(2);
});

/** A server that lets a client in and answers its first message with these bytes. */
function answering(bytes: Uint8Array): Promise<number> {
  return rawServer((socket) => {
    socket.once('data', () => {
      socket.write(Uint8Array.of(0, 0));
      socket.once('data', () => socket.write(bytes));
    });
  });
}

test('reports a server that answers what is no answer', async () => {
  const client = new MessageLogClient('ann', 'A', { host, port: await answering(Uint8Array.of(0x42)) });
  const error = await failure(client.msg('one'));
  expect(error).toMatchObject({ code: 'protocol', number: 1, cause: { name: 'RemoteError' } });
  expect(error.message).toContain('received code 0x42');
});

test('reports a server that answers what was not asked', async () => {
  const client = new MessageLogClient('ann', 'A', { host, port: await answering(Uint8Array.of(0, 0)) });
  await client.msg('one');
  const reason = await client.ended;
  expect(reason).toMatchObject({ code: 'protocol', acknowledged: 1, cause: { name: 'RemoteError' } });
  expect(await failure(client.msg('two'))).toMatchObject({ code: 'disconnected', cause: reason });
});

test('holds many sessions at once', async () => {
  const server = await messageLogServer();
  const clients = Array.from(
    { length: 50 },
    (_, index) => new MessageLogClient(`c${index}`, 'A', { host, port: server.port }),
  );
  await Promise.all(clients.flatMap((client) => [client.msg('a'), client.msg('b')]));
  await Promise.all(clients.map((client) => client.disconnect()));
  const lines = (await server.log()).split('\r\n').filter((line) => line.includes('[c7]'));
  expect(lines).toEqual(['[c7]: a', '[c7]: b']);
});

test('says goodbye at the end of its block', async () => {
  const server = await messageLogServer();
  let outside: MessageLogClient;
  {
    await using client = new MessageLogClient('ann', 'A', { host, port: server.port });
    outside = client;
    void client.msg('inside');
  }
  expect(outside.connected).toBe(false);
  expect(await server.log()).toBe('[ann]: inside\r\n');
});
