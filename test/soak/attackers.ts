/**
 * The attackers, in a process of their own: `attackers.ts PROTOCOL PORT HTTP-PORT...`. Each comes from many addresses and
 * goes on until the process is killed. How often each attack was made is counted on stdout, a line a second.
 */
import { randomBytes } from 'node:crypto';
import { constants, setPriority } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { Peer } from './peer.ts';
import { accounts, log, type Name, room } from './words.ts';

const [protocol = '', port = '', ...pages] = process.argv.slice(2);
const target = Number(port);
const counts: Record<string, number> = {};

let addresses = 0;
/** 200 sources of strangers. */
const somewhere = () => `127.66.${addresses++ % 2}.${1 + (addresses % 100)}`;
const dial = () => Peer.dial(target, somewhere());

type Attack = () => Promise<unknown>;

/** On a connection that is soon over. */
const once =
  (what: Uint8Array | (() => Uint8Array), end = true): Attack =>
  async () => {
    const peer = await dial();
    peer.write(typeof what === 'function' ? what() : what);
    if (end) peer.socket.end();
    else peer.socket.resetAndDestroy();
    await Promise.race([peer.gone(), setTimeout(2_000)]);
    peer.socket.destroy();
  };

/** Says this at full speed, and reads what comes, or nothing at all. */
const flood =
  (greeting: readonly Uint8Array[], what: Uint8Array, reads: boolean): Attack =>
  async () => {
    const peer = await dial();
    peer.write(...greeting);
    await setTimeout(200);
    if (!reads) peer.socket.pause();
    const many = Buffer.concat(Array.from({ length: 200 }, () => what));
    const until = Date.now() + 5_000;
    while (!peer.closed && Date.now() < until) {
      peer.received = Buffer.alloc(0);
      if (peer.socket.writableLength < 1_000_000) peer.socket.write(many);
      await setTimeout(5);
    }
    peer.socket.destroy();
  };

/** A byte now and then, for as long as it is borne. */
const trickle =
  (what: Uint8Array): Attack =>
  async () => {
    const peer = await dial();
    for (const byte of what) {
      if (peer.closed) return;
      peer.write(Uint8Array.of(byte));
      await setTimeout(100);
    }
    peer.socket.destroy();
  };

const idle: Attack = async () => {
  const peer = await dial();
  await Promise.race([peer.gone(), setTimeout(8_000)]);
  peer.socket.destroy();
};

const http =
  (text: string): Attack =>
  async () => {
    for (const page of pages) {
      const peer = await Peer.dial(Number(page), somewhere());
      peer.write(Buffer.from(text, 'latin1'));
      await Promise.race([peer.gone(), setTimeout(500)]);
      peer.socket.destroy();
    }
  };

let unique = 0;
const name = (stem: string) => `${stem}${process.pid}x${unique++}`;
const UPGRADE = 'Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

const everywhere: Record<string, [attack: Attack, atOnce: number]> = {
  noise: [once(() => randomBytes(64)), 4],
  'noise, reset': [once(() => randomBytes(64), false), 4],
  idle: [idle, 60],
  trickle: [trickle(Buffer.alloc(50, 1)), 20],
  'come and go': [once(Buffer.alloc(0), false), 4],
  'GET //, upgraded': [http(`GET // HTTP/1.1\r\nHost: localhost\r\n${UPGRADE}`), 1],
  'half a request': [http(`GET / HTTP/1.1\r\nX: ${'x'.repeat(10_000)}`), 2],
  'live page, unread': [http('GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n'), 1],
};

const own: Record<Name, Record<string, [attack: Attack, atOnce: number]>> = {
  'message-log': {
    'message before login': [once(() => log.message('early')), 2],
    'longest frame, half': [once(() => Buffer.concat([log.name('long'), Buffer.of(2, 0xff, 0xff, 1, 2)])), 2],
    'wrong passwords': [once(() => Buffer.concat([log.name('honest0'), log.password('guess')])), 30],
    'control bytes': [once(() => Buffer.concat([log.name('\x1b[2J\x9b\r\n[honest0]: forged')])), 2],
    'flood, unread': [
      flood([log.name('flood'), log.password('Aright')], log.message('x'.repeat(100)), false),
      1,
    ],
    flood: [flood([log.name('flood'), log.password('Aright')], log.message('flooded'), true), 1],
  },
  'basic-chat': {
    'send before registering': [once(() => room.send('early')), 2],
    names: [once(() => room.register(name('guest'))), 4],
    'flood of SENDs': [async () => await flood([room.register(name('flood'))], room.send('.'), true)(), 2],
    'members who acknowledge nothing': [
      async () => await flood([room.register(name('mute'))], Buffer.alloc(0), true)(),
      5,
    ],
    'members who read nothing': [
      async () => await flood([room.register(name('deaf'))], Buffer.alloc(0), false)(),
      5,
    ],
  },
  'account-chat': {
    guesses: [flood([], accounts.login('honest0', 'guess'), true), 100],
    registrations: [once(() => accounts.register(name('a').slice(-15))), 4],
    'lists, unread': [flood([], accounts.list, false), 4],
    lists: [flood([], accounts.list, true), 2],
    'messages to one who is away': [
      flood(
        [accounts.register('sender'), accounts.login('sender')],
        accounts.message('away', 'x'.repeat(500)),
        true,
      ),
      1,
    ],
  },
};

// Elsewhere they would have processors of their own.
setPriority(constants.priority.PRIORITY_LOW);
/** `ATTACKS='idle,noise'` leaves out the others, to find the one that hurts. */
const wanted = process.env['ATTACKS']?.split(',');
for (const [what, [attack, atOnce]] of Object.entries({ ...everywhere, ...own[protocol as Name] })) {
  if (wanted?.includes(what) === false) continue;
  counts[what] = 0;
  for (let number = 0; number < atOnce; number++) {
    void (async () => {
      for (;;) {
        await attack().catch(() => {});
        counts[what] = (counts[what] ?? 0) + 1;
        await setTimeout(20);
      }
    })();
  }
}
// The last line counts.
setInterval(() => console.log(JSON.stringify(counts)), 1_000);
