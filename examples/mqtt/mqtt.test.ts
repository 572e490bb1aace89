import { execFile, spawn, spawnSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { connect as dial } from 'node:net';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import mqttJs from 'mqtt';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type ListeningServer, listen } from 'wirechart';
import { verify } from 'wirechart/verify';
import { Broker } from './broker.ts';
import { mqtt } from './protocol.ts';
import { takes } from './topics.ts';

const run = promisify(execFile);
const missing = ['mosquitto_pub', 'mosquitto_sub'].filter((name) => spawnSync(name, ['--help']).error);
if (missing.length > 0) console.warn(`not tested, since they are not installed: ${missing.join(', ')}`);

/** What was received and answered, by its name. */
const told = new EventEmitter();
let server: ListeningServer;
beforeAll(async () => {
  server = await listen(mqtt, new Broker().handlers, {
    host: '127.0.0.1',
    port: 0,
    handshakeTimeout: 5000,
    observer: { transaction: (_, received) => void told.emit(received) },
  });
});
afterAll(() => server.close());

const to = (...args: readonly string[]) => ['-h', '127.0.0.1', '-p', String(server.port), ...args];

/** A mosquitto_sub that is subscribed, and what it has printed when it is closed. */
async function subscriber(...args: readonly string[]) {
  const subscribed = once(told, 'client.SUBSCRIBE');
  const child = spawn('mosquitto_sub', to(...args), { stdio: ['ignore', 'pipe', 'inherit'] });
  // Not SIGTERM: mosquitto_sub 2.0 says goodbye in its signal handler, and waits for ever there for a lock that it holds.
  const kill = () => void child.kill('SIGKILL');
  onTestFinished(kill);
  const printed = text(child.stdout);
  await subscribed;
  return { printed, kill };
}

async function client(options: mqttJs.IClientOptions = {}) {
  const one = await mqttJs.connectAsync(`mqtt://127.0.0.1:${server.port}`, {
    reconnectPeriod: 0,
    ...options,
  });
  onTestFinished(() => one.endAsync(true));
  return one;
}

const closing = (one: mqttJs.MqttClient) => new Promise<void>((resolve) => one.once('close', resolve));

const nextMessage = (one: mqttJs.MqttClient) =>
  new Promise<{ topic: string; payload: Buffer; qos: number }>((resolve) => {
    one.once('message', (topic, payload, { qos }) => resolve({ topic, payload, qos }));
  });
describe.skipIf(missing.length > 0)('mosquitto_pub and mosquitto_sub', () => {
  test.each([0, 1, 2])('QoS %d, both ways, with a wildcard', async (qos) => {
    const sub = await subscriber('-t', `m/${qos}/+/x/#`, '-q', String(qos), '-v', '-C', '2');
    await run('mosquitto_pub', to('-t', `m/${qos}/a/x`, '-m', 'one', '-q', String(qos)));
    await run('mosquitto_pub', to('-t', `m/${qos}/b/y`, '-m', 'not this', '-q', String(qos)));
    await run('mosquitto_pub', to('-t', `m/${qos}/c/x/d/e`, '-m', 'two', '-q', String(qos)));
    expect(await sub.printed).toBe(`m/${qos}/a/x one\nm/${qos}/c/x/d/e two\n`);
  });

  test('what is retained comes to those who subscribe later, until it is cleared', async () => {
    await run('mosquitto_pub', to('-t', 'kept/here', '-m', 'still', '-q', '1', '-r'));
    const first = await subscriber('-t', 'kept/#', '-C', '1', '-F', '%r %t %p');
    expect(await first.printed).toBe('1 kept/here still\n');
    await run('mosquitto_pub', to('-t', 'kept/here', '-n', '-r'));
    const second = await subscriber('-t', 'kept/#', '-C', '1', '-F', '%r %t %p');
    await run('mosquitto_pub', to('-t', 'kept/here', '-m', 'new'));
    expect(await second.printed).toBe('0 kept/here new\n');
  });

  test('a will is published when its client is killed, and not when it says goodbye', async () => {
    const heir = await subscriber('-t', 'will/#', '-C', '1', '-v');
    const will = (topic: string) => ['--will-topic', topic, '--will-payload', 'gone', '--will-qos', '1'];
    const polite = await subscriber('-t', 'last/words', '-C', '1', ...will('will/polite'));
    await run('mosquitto_pub', to('-t', 'last/words', '-m', 'goodbye'));
    expect(await polite.printed).toBe('goodbye\n');
    const dying = await subscriber('-t', 'x', ...will('will/killed'));
    dying.kill();
    expect(await heir.printed).toBe('will/killed gone\n');
  });
});

describe('mqtt.js', () => {
  test.each([0, 1, 2] as const)('QoS %d: 200 messages come once each, in order', async (qos) => {
    const sub = await client();
    const got: string[] = [];
    const arrived = new EventEmitter();
    await sub.subscribeAsync(`js/${qos}`, { qos });
    sub.on('message', (_, payload) => arrived.emit(`${got.push(payload.toString())}`));
    const pub = await client();
    const sent = Array.from({ length: 200 }, (_, number) => `${number}`);
    // A subscriber may leave 100 unacknowledged, and misses the next: that the publisher's are acknowledged says nothing.
    for (let from = 0; from < sent.length; from += 50) {
      const all = once(arrived, `${from + 50}`);
      const some = sent.slice(from, from + 50);
      await Promise.all([all, ...some.map((one) => pub.publishAsync(`js/${qos}`, one, { qos }))]);
    }
    expect(got).toEqual(sent);
  });

  test('256 KiB go through, and one byte more ends the connection', async () => {
    const sub = await client();
    await sub.subscribeAsync('large', { qos: 1 });
    const payload = Buffer.alloc(256 * 1024 - 2 - 'large'.length - 2, 'x');
    const message = nextMessage(sub);
    await sub.publishAsync('large', payload, { qos: 1 });
    expect((await message).payload.equals(payload)).toBe(true);
    const closed = closing(sub);
    sub.publish('large', Buffer.concat([payload, Buffer.of(0, 0, 0)]), { qos: 0 });
    await closed;
  });

  test('a client with the same id takes over, and the will of the first is published', async () => {
    const heir = await client();
    await heir.subscribeAsync('taken', { qos: 1 });
    const first = await client({
      clientId: 'same',
      will: { topic: 'taken', payload: Buffer.from('over'), qos: 1, retain: false },
    });
    const [closed, message] = [closing(first), nextMessage(heir)];
    await client({ clientId: 'same' });
    await closed;
    expect((await message).payload.toString()).toBe('over');
  });

  test('a session that is kept gets what came meanwhile', async () => {
    const away = await client({ clientId: 'away', clean: false });
    await away.subscribeAsync('meanwhile', { qos: 2 });
    await away.endAsync();
    const pub = await client();
    await pub.publishAsync('meanwhile', 'you were away', { qos: 2 });
    const back = mqttJs.connect(`mqtt://127.0.0.1:${server.port}`, { clientId: 'away', clean: false });
    onTestFinished(() => back.endAsync(true));
    const isPresent = new Promise((resolve) =>
      back.once('connect', (packet) => resolve(packet.sessionPresent)),
    );
    const [present, message] = await Promise.all([isPresent, nextMessage(back)]);
    expect(present).toBe(true);
    expect(message).toMatchObject({ topic: 'meanwhile', qos: 2 });
  });

  test('who promised to be heard every second and is silent for one and a half is cut off', async () => {
    const socket = dial(server.port, '127.0.0.1');
    socket.write(Buffer.from('100d00044d51545404020001000161', 'hex'));
    await once(socket, 'data');
    const began = performance.now();
    socket.resume();
    await once(socket, 'end');
    socket.destroy();
    const took = performance.now() - began;
    expect(took).toBeGreaterThan(1400);
    expect(took).toBeLessThan(4000);
  });
});

test.each([
  ['a/+/c', 'a/b/c', true],
  ['a/#', 'a', true],
  ['+', '/a', false],
  ['/+', '/a', true],
  ['#', '$SYS/x', false],
  ['$SYS/#', '$SYS/x', true],
  ['a/+', 'a/b/c', false],
])('%s takes %s: %s', (filter, topic, taken) => expect(takes(filter, topic)).toBe(taken));

test('it conforms to its own declaration', async () => {
  const verification = await verify(mqtt, { host: '127.0.0.1', port: server.port, k: 0 });
  expect([verification.verdict, verification.reason]).toEqual(['conforms', undefined]);
  expect(verification.unseen).toEqual({ states: [], messages: [] });
});
