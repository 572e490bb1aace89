import { describe, expect, test, vi } from 'vitest';
import type { LiveMessages, StepMessages } from '../../src/inspect/page/message.ts';
import { EventReader } from './event-reader.ts';
import { CLOSE, Client, MESSAGE, NAME, PASSWORD, secrets, urlOf, watchedServer } from './watched-server.ts';

describe('the live feed', () => {
  test('shows a late viewer everybody, where they stand and what flowed', async () => {
    const { port, page } = await watchedServer();
    const [named, writing] = [await Client.connect(port), await Client.connect(port)];
    await named.ask(NAME);
    await writing.ask(NAME, PASSWORD, MESSAGE, MESSAGE, MESSAGE);
    const cheat = await Client.connect(port);
    await cheat.ask(MESSAGE);
    await cheat.leave();

    const viewer = await EventReader.open<LiveMessages>(urlOf(page, '/live'));
    const { states, edges } = await viewer.until('hello');
    const live = await viewer.until('live');
    expect(live).toMatchObject({ connections: 2, messages: 6, refusals: 1 });
    const standing = Object.fromEntries(states.map((state, nth) => [state, live.standing[nth]]));
    expect(standing).toMatchObject({ C: 0, N: 0, P: 1, 'P.awaiting': 1, M: 1, 'M.awaiting': 1, X: 0 });
    const taken = Object.fromEntries(edges.map((edge, nth) => [edge, live.taken[nth]]));
    expect(taken).toMatchObject({
      'C:transport.accept': 3,
      'N.awaiting:client.NAME': 2,
      'M.judging:server.ACCEPT': 3,
      'M.judging:server.REJECT': 0,
    });
    expect(await viewer.until('list')).toMatchObject({
      matching: 2,
      rows: [
        { id: 2, peer: writing.peer, state: 'M.awaiting', received: 5, refusals: 0 },
        { id: 1, peer: named.peer, state: 'P.awaiting', received: 1 },
      ],
    });
    expect(await viewer.until('refusals')).toEqual([
      {
        number: 1,
        at: expect.any(Number),
        id: 3,
        peer: cheat.peer,
        kind: 'violation',
        state: 'N.awaiting',
        within: ['N', 'N.awaiting'],
        received: 'client.MESSAGE',
        expected: ['client.CLOSE', 'client.NAME'],
      },
    ]);
  });

  test('lists the connections of one state, in the order that is asked for', async () => {
    const { port, page } = await watchedServer();
    const clients = [await Client.connect(port), await Client.connect(port), await Client.connect(port)];
    await clients[0]?.ask(NAME, PASSWORD, MESSAGE);
    await clients[1]?.ask(NAME);
    await clients[2]?.ask(NAME, PASSWORD, MESSAGE, MESSAGE);
    const ids = async (query: string) => {
      const viewer = await EventReader.open<LiveMessages>(urlOf(page, `/live?${query}`));
      return (await viewer.until('list')).rows.map(({ id }) => id);
    };
    expect(await ids('order=oldest')).toEqual([1, 2, 3]);
    expect(await ids('order=newest&state=M')).toEqual([3, 1]);
    expect(await ids('order=busiest')).toEqual([3, 1, 2]);
    expect(await ids('order=no-such-order')).toEqual([3, 2, 1]);
    expect(await ids('state=X')).toEqual([]);
  });

  test('tells of a list longer than anybody reads only the first rows, and how many there are', async () => {
    const { port, page } = await watchedServer();
    await Promise.all(Array.from({ length: 120 }, () => Client.connect(port)));
    const viewer = await EventReader.open<LiveMessages>(urlOf(page, '/live'));
    const { rows } = await viewer.until('list', ({ matching }) => matching === 120);
    expect(rows).toHaveLength(100);
  });
});

describe('one connection', () => {
  test('is followed step by step to its end', async () => {
    const { port, page } = await watchedServer();
    const client = await Client.connect(port);
    await client.ask(NAME);
    const steps = await EventReader.open<StepMessages>(urlOf(page, '/steps?connection=1'));
    expect(await steps.until('begin')).toMatchObject({ id: 1, peer: client.peer, state: 'P.awaiting' });
    await client.ask(PASSWORD, MESSAGE, CLOSE);
    const told: string[] = [];
    const last = await steps.until('steps', (batch) => {
      told.push(...batch.steps.map(({ event, from, to }) => `${from} ${event} ${to}`));
      return batch.state === 'X.closed';
    });
    expect(told).toEqual([
      'P.awaiting client.PASSWORD P.judging',
      'P.judging server.ACCEPT M.awaiting',
      'M.awaiting client.MESSAGE M.judging',
      'M.judging server.ACCEPT M.awaiting',
      'M.awaiting client.CLOSE X.judging',
      'X.judging server.ACCEPT X.closed',
    ]);
    expect(last).toMatchObject({ skipped: 0, within: ['X', 'X.closed'] });
    expect(await steps.until('ended')).toEqual({ cause: 'close' });
  });

  test('is told with what it was refused', async () => {
    const { port, page } = await watchedServer();
    const client = await Client.connect(port);
    await client.ask(NAME);
    const steps = await EventReader.open<StepMessages>(urlOf(page, '/steps?connection=1'));
    await steps.until('begin');
    await client.ask(MESSAGE);
    const { steps: told } = await steps.until('steps');
    expect(told).toMatchObject([
      {
        event: 'client.MESSAGE',
        from: 'P.awaiting',
        error: expect.stringMatching('expected client.CLOSE or'),
      },
    ]);
    expect(await steps.until('ended')).toEqual({ cause: 'refused' });
  });

  test('that is busy is told in part, with the number of the steps left out', async () => {
    const { port, page } = await watchedServer();
    const client = await Client.connect(port);
    await client.ask(NAME, PASSWORD);
    const steps = await EventReader.open<StepMessages>(urlOf(page, '/steps?connection=1'));
    await steps.until('begin');
    await client.ask(...new Array<Buffer>(2000).fill(MESSAGE));
    let [told, skipped] = [0, 0];
    await steps.until('steps', (batch) => {
      told += batch.steps.length;
      skipped += batch.skipped;
      return told + skipped === 4000;
    });
    expect(skipped).toBeGreaterThan(0);
  });

  test('costs nothing once nobody follows it any more', async () => {
    const { port, page, sessions } = await watchedServer();
    const client = await Client.connect(port);
    await client.ask(NAME);
    const [session] = sessions;
    expect(session?.onStep).toBeUndefined();
    const leaving = [1, 2].map(() => new AbortController());
    for (const { signal } of leaving) await fetch(urlOf(page, '/steps?connection=1'), { signal });
    expect(session?.onStep).toBeTypeOf('function');
    leaving[0]?.abort();
    await new Promise((resolve) => setImmediate(resolve));
    expect(session?.onStep).toBeTypeOf('function');
    leaving[1]?.abort();
    await vi.waitUntil(() => session?.onStep === undefined);
  });

  test('that is not there is not found', async () => {
    const { page } = await watchedServer();
    expect((await fetch(urlOf(page, '/steps?connection=7'))).status).toBe(404);
  });
});

test('names, passwords and messages never leave', async () => {
  const { port, page } = await watchedServer();
  const client = await Client.connect(port);
  const live = await EventReader.open<LiveMessages>(urlOf(page, '/live'));
  await live.until('list', ({ matching }) => matching === 1);
  const steps = await EventReader.open<StepMessages>(urlOf(page, '/steps?connection=1'));
  await client.ask(NAME, PASSWORD, MESSAGE, PASSWORD);
  await steps.until('ended');
  await live.until('refusals');
  const cheat = await Client.connect(port);
  // No message at all: a code that the protocol does not know, made of what must not be told.
  await cheat.ask(Buffer.from(secrets.message));
  await live.until('refusals');
  const seen = live.text + steps.text;
  expect(seen).toContain('client.PASSWORD');
  for (const secret of Object.values(secrets)) expect(seen).not.toContain(secret);
});
