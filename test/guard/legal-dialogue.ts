import { Horizons } from '../../src/guard/horizon.ts';
import { Monitor, type Route } from '../../src/guard/monitor.ts';
import { REFUSED, step } from '../../src/machine/table.ts';
import { Content } from '../../src/transport/content.ts';
import { Inbox } from '../../src/transport/inbox.ts';
import type { AnyProtocol } from '../../src/transport/protocol.ts';
import { eventsOf } from './world.ts';

type Roll = (sides: number) => number;

const NONE = Buffer.alloc(0);
/** Of each message so many are made ready. */
const SAMPLES = 12;

/** Dialogues in which nobody does wrong, in bytes: a client that runs ahead, a server that says what it likes. */
export class LegalDialogue {
  /** What was refused, or found to be wrong: nothing, if all is well. */
  readonly told: string[] = [];
  readonly #protocol: AnyProtocol;
  readonly #horizons: Horizons;
  readonly #samples: ReadonlyMap<number, readonly Buffer[]>;
  /** Of each state, what may be sent and said there. */
  readonly #sendable: readonly (readonly number[])[];
  readonly #sayable: readonly (readonly number[])[];

  constructor(protocol: AnyProtocol) {
    const { table } = protocol;
    this.#protocol = protocol;
    this.#horizons = new Horizons(table);
    const [client, server] = [eventsOf(table, 'client'), eventsOf(table, 'server')];
    let seed = 1;
    const random = () => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
      return seed / 0x80000000;
    };
    const samples = new Map<number, Buffer[]>();
    for (const event of [...client, ...server]) {
      const type = table.events[event] ?? '';
      const { frame } = protocol.entry(type);
      const upgrades = Object.keys(protocol.upgrades).includes(type);
      if (upgrades) continue;
      // Where a field of a protocol's own has none, those of the protocol.
      const given = Object.values(protocol.samples('x').messages).filter(
        ({ message }) => message.type === type,
      );
      const canned = given.map(({ message }) => Buffer.from(protocol.encode(message).bytes));
      const made = Array.from({ length: SAMPLES }, (_, index) => {
        const own = canned[index % canned.length];
        if (own !== undefined) return own;
        const fields = frame.sample(random);
        if (frame.streams !== undefined) fields[frame.streams] = Content.of(Buffer.from('one\r\n.two\r\n'));
        return Buffer.from(protocol.encode({ ...fields, type }).bytes);
      });
      // What takes the rest of all frames may by chance be one of them.
      const states = [...table.states.keys()];
      const readable = made.filter((bytes) =>
        states.some((state) => {
          const decoder = protocol.decoder(type.startsWith('client.') ? 'client' : 'server', state);
          return decoder.identify(new Inbox(bytes))?.type === type;
        }),
      );
      samples.set(
        event,
        Array.from({ length: SAMPLES }, (_, index) => readable[index % readable.length] ?? NONE),
      );
    }
    this.#samples = samples;
    this.#sendable = table.states.map((_, state) =>
      client.filter((event) => samples.has(event) && this.#horizons.taken(state, event) !== REFUSED),
    );
    this.#sayable = table.states.map((_, state) =>
      server.filter((event) => {
        const type = table.events[event];
        // What is not readable in a state is not said there, whatever the machine would take.
        const readable = samples.get(event)?.some((bytes) => {
          return protocol.decoder('server', state).identify(new Inbox(bytes))?.type === type;
        });
        return step(table, state, event) !== REFUSED && readable === true;
      }),
    );
  }

  /** Holds one. @returns how many messages of the client passed. */
  hold(roll: Roll): number {
    const { table } = this.#protocol;
    const [toServer, toClient] = [new Stream(), new Stream()];
    let passed = 0;
    const wrong = (what: string) => void this.told.push(`${this.#protocol.name}: ${what}`);
    const route: Route = {
      toServer(bytes) {
        if (toServer.sent.subarray(passed, passed + bytes.length).compare(bytes) !== 0) wrong('other bytes');
        passed += bytes.length;
      },
      toClient: () => wrong('a word of the guard'),
      refused: (error) => wrong(error.message),
      faulted: (error) => wrong(`the server: ${error.message}`),
      lost: (why) => wrong(why),
      upgraded() {
        wrong('another wire');
        return false;
      },
    };
    const monitor = new Monitor(this.#protocol, this.#horizons, route);
    let server = step(table, table.initial, 0);
    let client = server;
    let messages = 0;
    // What ends the dialogue is chosen now and then.
    const pick = (state: number, events: readonly number[] = []) => {
      const lasting = events.filter((event) => table.final[step(table, state, event)] === 0);
      return roll(40) > 0 ? lasting[roll(lasting.length)] : events[roll(events.length)];
    };
    const serverReads = () => {
      const arrived = toServer.next;
      if (arrived === undefined || arrived.end > passed || !this.#horizons.rests(server)) return false;
      toServer.take();
      server = step(table, server, arrived.event);
      if (server === REFUSED) wrong(`${table.events[arrived.event]} came too early`);
      return true;
    };
    const serverSays = () => {
      const said = pick(server, this.#sayable[server]);
      if (said === undefined) return false;
      toClient.add(said, this.#bytes(said, roll));
      server = step(table, server, said);
      return true;
    };
    const clientHears = (all: boolean) => {
      const piece = toClient.piece(all ? undefined : roll);
      if (piece === undefined) return false;
      monitor.serverSaid(piece);
      for (
        let heard = toClient.next;
        heard !== undefined && heard.end <= toClient.given;
        heard = toClient.next
      ) {
        toClient.take();
        const to = step(table, client, heard.event);
        if (to !== REFUSED) client = to;
      }
      return true;
    };
    const clientIsHeard = (all: boolean) => {
      const piece = toServer.piece(all ? undefined : roll);
      if (piece !== undefined) monitor.clientSaid(piece);
      return piece !== undefined;
    };
    for (let turn = 0; turn < 40 && server !== REFUSED && table.final[server] === 0; turn++) {
      const choice = roll(3);
      const event = choice === 0 ? pick(client, this.#sendable[client]) : undefined;
      if (event !== undefined) {
        client = step(table, client, event);
        toServer.add(event, this.#bytes(event, roll));
        messages++;
      } else if (choice === 1) clientIsHeard(false) || serverReads() || serverSays();
      else (roll(3) === 0 && serverSays()) || clientHears(false) || serverReads() || clientIsHeard(false);
    }
    while (clientIsHeard(true) || serverReads() || clientHears(true)) {
      /* until all has arrived */
    }
    const rests = server !== REFUSED && this.#horizons.rests(server);
    if (rests && passed < toServer.sent.length) wrong(`${toServer.sent.length - passed} bytes were held`);
    return messages;
  }

  #bytes(event: number, roll: Roll): Buffer {
    return this.#samples.get(event)?.[roll(SAMPLES)] ?? NONE;
  }
}

/** Bytes of one sender on their way, and where each message ends in them. */
class Stream {
  sent: Buffer = Buffer.alloc(0);
  given = 0;
  readonly #messages: { readonly event: number; readonly end: number }[] = [];

  get next() {
    return this.#messages[0];
  }

  take(): void {
    this.#messages.shift();
  }

  add(event: number, bytes: Buffer): void {
    this.sent = Buffer.concat([this.sent, bytes]);
    this.#messages.push({ event, end: this.sent.length });
  }

  /** What comes next, cut anywhere. */
  piece(roll: Roll | undefined): Buffer | undefined {
    const left = this.sent.length - this.given;
    if (left === 0) return undefined;
    const size = roll === undefined ? left : 1 + roll(Math.min(left, 40));
    const piece = Buffer.from(this.sent.subarray(this.given, this.given + size));
    this.given += size;
    return piece;
  }
}
