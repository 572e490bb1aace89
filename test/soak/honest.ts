import { setTimeout } from 'node:timers/promises';
import { Peer } from './peer.ts';
import { accounts, log, type Name, room } from './words.ts';

/** What honest clients saw. Times in milliseconds. */
export interface Seen {
  readonly latencies: number[];
  /** Of logins anew, in account-chat and message-log; infinite for one that did not succeed. */
  readonly logins: number[];
  /** What went wrong for somebody who did nothing wrong. */
  readonly wrongs: string[];
  /** What was acknowledged. */
  readonly acknowledged: string[];
  /** What was heard by those it was for, where that can be told at once. */
  readonly heard: Set<string>;
}

const CLIENTS = 4;
const PAUSE = 25;

async function timed(into: number[], act: () => Promise<unknown>): Promise<void> {
  const begun = performance.now();
  await act();
  into.push(performance.now() - begun);
}

/** Starts as many as there are; they work until the signal, each from an address of its own. */
export async function honest(protocol: Name, port: number, stop: AbortSignal): Promise<Seen> {
  const seen: Seen = { latencies: [], logins: [], wrongs: [], acknowledged: [], heard: new Set() };
  const play = { 'message-log': writer, 'basic-chat': member, 'account-chat': friend }[protocol];
  const players = Array.from({ length: CLIENTS }, (_, number) =>
    play(number, port, stop, seen).catch((error: unknown) => {
      seen.wrongs.push(`${protocol} ${number}: ${error instanceof Error ? error.message : error}`);
    }),
  );
  await Promise.all(players);
  return seen;
}

const home = (number: number) => `127.1.1.${number + 1}`;

async function expectBytes(peer: Peer, ...bytes: readonly number[]): Promise<void> {
  const came = await peer.take(bytes.length);
  if (!came.equals(Buffer.from(bytes))) throw new Error(`expected ${bytes}, got ${came.toString('hex')}`);
}

async function writer(number: number, port: number, stop: AbortSignal, seen: Seen): Promise<void> {
  const enter = async () => {
    const peer = await Peer.dial(port, home(number));
    peer.write(log.name(`honest${number}`), log.password('Aright'));
    await expectBytes(peer, 0, 0);
    return peer;
  };
  const peer = await enter();
  const other = logInAnew(stop, seen, async () => (await enter()).socket.end());
  for (let count = 0; !stop.aborted; count++) {
    const text = `${process.pid} ${performance.timeOrigin} ${count}`;
    peer.write(log.message(text));
    await timed(seen.latencies, () => expectBytes(peer, 0));
    seen.acknowledged.push(`[honest${number}]: ${text}`);
    await setTimeout(PAUSE);
  }
  peer.socket.end();
  await other;
}

async function logInAnew(stop: AbortSignal, seen: Seen, act: () => Promise<unknown>): Promise<void> {
  while (!stop.aborted) {
    await timed(seen.logins, act).catch(() => seen.logins.push(Number.POSITIVE_INFINITY));
    await setTimeout(500);
  }
}

async function member(number: number, port: number, stop: AbortSignal, seen: Seen): Promise<void> {
  const peer = await Peer.dial(port, home(number));
  let answered = (_: string): void => {};
  const listening = (async () => {
    for (;;) {
      const [kind, code = 0] = await peer
        .take(1)
        .then(async (first) => (first[0] === 4 ? [4, (await peer.take(1))[0]] : first));
      const first = await string(peer);
      if (kind === 4) answered(code === 0 ? '' : first);
      else {
        const message = await string(peer);
        peer.write(room.acknowledge);
        if (first.startsWith('honest') && message.startsWith('say '))
          seen.heard.add(`${number} ${first}: ${message}`);
      }
    }
  })();
  listening.catch(() => {});
  const ask = (frame: Uint8Array) => {
    const answer = new Promise<string>((resolve) => {
      answered = resolve;
    });
    peer.write(frame);
    return Promise.race([answer, listening]);
  };
  const myself = `honest${number}x${Math.round(performance.now())}`;
  const refusal = await ask(room.register(myself));
  if (refusal !== '') throw new Error(`registration: ${refusal}`);
  // All of them are there before one speaks.
  await setTimeout(500);
  for (let count = 0; !stop.aborted; count++) {
    await timed(seen.latencies, async () => {
      const refusal = await ask(room.send(`say ${count}`));
      if (refusal !== '') throw new Error(refusal);
    });
    seen.acknowledged.push(`${number} ${myself}: say ${count}`);
    await setTimeout(PAUSE);
  }
  // What was said last is on its way.
  await setTimeout(3_000);
  peer.socket.end();
}

async function string(peer: Peer): Promise<string> {
  return (await peer.take((await peer.take(2)).readUInt16BE())).toString('latin1');
}

async function friend(number: number, port: number, stop: AbortSignal, seen: Seen): Promise<void> {
  const myself = `honest${number}`;
  const peer = await Peer.dial(port, home(number));
  let answered = (_: string): void => {};
  const listening = (async () => {
    for (;;) {
      const code = (await peer.take(1))[0];
      const body = (await peer.take(code === 8 ? 528 : 256)).toString('latin1');
      if (code !== 8) answered(`${code} ${body.replace(/\0.*$/s, '')}`);
      else
        seen.heard.add(
          `${body.slice(0, 16).replace(/\0.*$/s, '')} to ${number}: ${body.slice(16).replace(/\0.*$/s, '')}`,
        );
    }
  })();
  listening.catch(() => {});
  const ask = async (frame: Uint8Array) => {
    const answer = new Promise<string>((resolve) => {
      answered = resolve;
    });
    peer.write(frame);
    return await Promise.race([answer, listening]);
  };
  await ask(accounts.register(myself));
  const login = await ask(accounts.login(myself));
  if (!login.startsWith('7')) throw new Error(`login: ${login}`);
  await setTimeout(500);
  const other = logInAnew(stop, seen, async () => {
    const visitor = await Peer.dial(port, home(number));
    // Its account is in use: what is timed is the verdict on a right password.
    visitor.write(accounts.login(myself));
    const answer = await Promise.race([visitor.take(257), setTimeout(1_000, undefined)]);
    visitor.socket.destroy();
    if (answer === undefined || !/Already logged in/.test(answer.toString('latin1'))) throw new Error('late');
  });
  const to = (number + 1) % CLIENTS;
  for (let count = 0; !stop.aborted; count++) {
    const text = `${process.pid} ${performance.timeOrigin} ${count}`;
    await timed(seen.latencies, async () => {
      const answer = await ask(accounts.message(`honest${to}`, text));
      if (!answer.startsWith('7')) throw new Error(`message: ${answer}`);
    });
    seen.acknowledged.push(`${myself} to ${to}: ${text}`);
    await setTimeout(PAUSE);
  }
  await setTimeout(2_000);
  await other;
  peer.socket.end();
}
