import { networkInterfaces } from 'node:os';
import type { StatelyInspectionEvent } from '@statelyai/inspect';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createMachine } from 'xstate';
import { CLOSE, Client, MESSAGE, NAME, PASSWORD, secrets, watchedServer } from './watched-server.ts';

/** A client of the inspector's messages. */
class Viewer {
  readonly messages: StatelyInspectionEvent[] = [];
  text = '';
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (message) => {
      this.text += message;
      this.messages.push(JSON.parse(String(message)));
      socket.emit('told');
    });
    onTestFinished(() => socket.terminate());
  }

  static open(port: number, { host = '127.0.0.1', origin = '' } = {}): Promise<Viewer> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://${host}:${port}/stately`, origin === '' ? {} : { origin });
      socket.once('error', reject);
      const viewer = new Viewer(socket);
      socket.once('open', () => resolve(viewer));
    });
  }

  /** The first message that satisfies, whenever it comes. */
  until(satisfies: (message: StatelyInspectionEvent) => boolean): Promise<StatelyInspectionEvent> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.messages.find(satisfies);
        if (found === undefined) return;
        this.#socket.off('told', look);
        resolve(found);
      };
      this.#socket.on('told', look);
      look();
    });
  }
}

/** Reads as a viewer does: the state is a value of the machine. */
const stands = (message: StatelyInspectionEvent, value: unknown): boolean =>
  message.type === '@xstate.snapshot' &&
  JSON.stringify('value' in message.snapshot && message.snapshot.value) === JSON.stringify(value);

describe('every connection is an actor of the real machine', () => {
  test('a late viewer is told of it with its definition and where it stands', async () => {
    const { port, page } = await watchedServer();
    const client = await Client.connect(port);
    await client.ask(NAME);
    const viewer = await Viewer.open(page.port);
    const actor = await viewer.until(({ type }) => type === '@xstate.actor');
    if (actor.type !== '@xstate.actor') throw new Error('not an actor');
    expect(actor).toMatchObject({
      name: `1 ${client.peer}`,
      sessionId: `1 ${client.peer}`,
      rootId: `1 ${client.peer}`,
      snapshot: { status: 'active', value: { P: 'awaiting' } },
    });
    const machine = createMachine(JSON.parse(actor.definition ?? ''));
    expect(machine.id).toBe('message-log');
    expect(machine.events).toContain('client.PASSWORD');
  });

  test('it is followed event by event, from its first to its last', async () => {
    const { port, page } = await watchedServer();
    const viewer = await Viewer.open(page.port);
    const client = await Client.connect(port);
    await client.ask(NAME, PASSWORD, CLOSE);
    await client.leave();
    await viewer.until(
      (message) => message.type === '@xstate.snapshot' && message.snapshot.status === 'done',
    );
    const told = viewer.messages.flatMap((message) =>
      message.type === '@xstate.event' ? [message.event.type] : [],
    );
    expect(told).toEqual([
      'transport.accept',
      'client.NAME',
      'server.ACCEPT',
      'client.PASSWORD',
      'server.ACCEPT',
      'client.CLOSE',
      'server.ACCEPT',
    ]);
    expect(viewer.messages.some((message) => stands(message, { M: 'awaiting' }))).toBe(true);
    expect(new Set(viewer.messages.map(({ sessionId }) => sessionId))).toEqual(new Set([`1 ${client.peer}`]));
  });

  test('a busy one is sampled, and followed again when it is calm', async () => {
    const { port, page, sessions } = await watchedServer();
    const client = await Client.connect(port);
    await client.ask(NAME, PASSWORD);
    const [session] = sessions;
    const viewer = await Viewer.open(page.port);
    await client.ask(...new Array<Buffer>(5000).fill(MESSAGE));
    const isSample = (message: StatelyInspectionEvent): boolean =>
      message.type === '@xstate.snapshot' && message.event.type === 'wirechart.sampled';
    await viewer.until(isSample);
    expect(viewer.messages.length).toBeLessThan(500);
    await vi.waitUntil(() => session?.onStep !== undefined, 10_000);
    await client.ask(CLOSE);
    await viewer.until(
      (message) => message.type === '@xstate.event' && message.event.type === 'client.CLOSE',
    );
  });
});

test('names, passwords and messages never leave', async () => {
  const { port, page } = await watchedServer();
  const viewer = await Viewer.open(page.port);
  const client = await Client.connect(port);
  await client.ask(NAME, PASSWORD, MESSAGE, PASSWORD);
  await client.leave();
  await viewer.until((message) => message.type === '@xstate.snapshot' && message.snapshot.status === 'done');
  expect(viewer.text).toContain('client.PASSWORD');
  for (const secret of Object.values(secrets)) expect(viewer.text).not.toContain(secret);
});

test('pages of other sites may not look', async () => {
  const { page } = await watchedServer();
  await Viewer.open(page.port, { origin: `http://127.0.0.1:${page.port}` });
  await expect(Viewer.open(page.port, { origin: 'https://elsewhere.example' })).rejects.toThrow('403');
});

const own = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

test.skipIf(own === undefined)('even where the page is for others, this is for the own machine', async () => {
  const { page } = await watchedServer({ host: '0.0.0.0', port: 0 });
  expect((await fetch(`http://${own}:${page.port}/`)).status).toBe(200);
  await expect(Viewer.open(page.port, { host: own ?? '' })).rejects.toThrow('403');
});
