import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fullStatus, type Guest, openRoom, register, send, shortStatus } from './room.ts';

/** The room as the document tells it, in strings and numbers; knows no bytes but how many a frame has. */
class Model {
  readonly log: string[] = [];
  readonly members: ModelGuest[] = [];
  readonly mostWaiting: number;
  readonly #announcements: { readonly text: string; readonly except: ModelGuest }[] = [];
  #announcing = false;

  constructor(mostWaiting: number) {
    this.mostWaiting = mostWaiting;
  }

  announce(text: string, except: ModelGuest): void {
    this.#announcements.push({ text, except });
    if (this.#announcing) return;
    this.#announcing = true;
    for (let next = this.#announcements.shift(); next !== undefined; next = this.#announcements.shift()) {
      for (const member of [...this.members]) if (member !== next.except) this.deliver(member, next.text);
    }
    this.#announcing = false;
  }

  deliver(to: ModelGuest, text: string): void {
    if (!to.acknowledged) to.waiting.push(text);
    else {
      to.acknowledged = false;
      to.delivered.push(text);
    }
    if (to.waiting.length <= this.mostWaiting) return;
    to.statuses.push(1);
    this.leave(to, 'slow');
  }

  leave(guest: ModelGuest, cause: string): void {
    guest.gone = true;
    const place = this.members.indexOf(guest);
    if (place < 0) return;
    this.members.splice(place, 1);
    this.log.push(`- ${guest.name} (${cause})`);
    this.announce(`[Server]: ${guest.name} has left the server.`, guest);
  }
}

type Frame =
  | { readonly kind: 'register'; readonly name: string }
  | { readonly kind: 'send'; readonly message: string }
  | { readonly kind: 'status' };

/** What one client must have seen, and what the server has not received yet. */
class ModelGuest {
  readonly model: Model;
  readonly peer: string;
  name = '';
  readonly delivered: string[] = [];
  readonly statuses: number[] = [];
  readonly waiting: string[] = [];
  acknowledged = true;
  gone = false;
  /** Frames under way: the index of the byte that makes each whole. */
  readonly #underWay: { readonly frame: Frame; readonly whole: number }[] = [];
  #written = 0;
  #received = 0;

  constructor(model: Model, peer: string) {
    this.model = model;
    this.peer = peer;
  }

  /** @param whole - Bytes after which the frame is complete, of `size`. */
  write(frame: Frame, size: number, whole = size): void {
    this.#underWay.push({ frame, whole: this.#written + whole });
    this.#written += size;
  }

  serve(size: number): void {
    this.#received += size;
    for (;;) {
      const [next] = this.#underWay;
      if (next === undefined || next.whole > this.#received || this.gone) return;
      this.#underWay.shift();
      this.#take(next.frame);
    }
  }

  #take(frame: Frame): void {
    const { model } = this;
    if (frame.kind === 'register') {
      const { name } = frame;
      const taken = model.members.some((member) => member.name === name);
      if (taken || !/^[!-~]+$/.test(name) || ['[server]', 'server'].includes(name.toLowerCase())) {
        this.statuses.push(1);
        this.gone = true;
        return;
      }
      this.name = name;
      model.members.push(this);
      model.log.push(`+ ${name} (${this.peer})`);
      const names = model.members.map((member) => member.name).join(', ');
      this.statuses.push(0);
      model.deliver(this, `[Server]: Logged in as ${name}.\nCurrent Clients: ${names}`);
      model.announce(`[Server]: ${name} has joined the server.`, this);
    } else if (frame.kind === 'send') {
      const cleaned = Array.from(frame.message)
        .filter(
          (character) => character === '\t' || character === '\n' || (character >= ' ' && character <= '~'),
        )
        .join('');
      this.statuses.push(cleaned === '' ? 1 : 0);
      if (cleaned === '') return;
      model.log.push(`${this.name}: ${cleaned}`);
      model.announce(`${this.name}: ${cleaned}`, this);
    } else {
      const next = this.waiting.shift();
      this.acknowledged = next === undefined;
      if (next !== undefined) this.delivered.push(next);
    }
  }
}

const names = ['ann', 'bob', 'cy', 'Ann', 'di', 'SERVER', '[Server]', 'a b', '', 'é'];
const client = fc.nat(9);
const action = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('join' as const), name: fc.nat(99) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('say' as const),
      client,
      message: fc.string({
        unit: fc.constantFrom('a', 'b', '\t', '\n', ' ', '~', '\0', '\x1b', '\x7f', 'é'),
      }),
    }),
  },
  { weight: 9, arbitrary: fc.record({ do: fc.constant('serve' as const), client, size: fc.nat(40) }) },
  { weight: 9, arbitrary: fc.record({ do: fc.constant('hear' as const), client, size: fc.nat(80) }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('acknowledge' as const), client, full: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end' as const), client }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('vanish' as const), client }) },
);
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

interface Pair {
  readonly guest: Guest;
  readonly model: ModelGuest;
}

function serve({ guest, model }: Pair, size: number): void {
  model.serve(guest.serve(size));
}

function acknowledge({ guest, model }: Pair, full: boolean): void {
  if (guest.owed === 0) return;
  guest.owed--;
  guest.write(full ? fullStatus : shortStatus);
  model.write({ kind: 'status' }, full ? 4 : 2, 2);
}

function take(step: Action, room: ReturnType<typeof openRoom>, pairs: Pair[], model: Model): void {
  if (step.do === 'join') {
    const pair = {
      guest: room.join(),
      model: new ModelGuest(model, `guest ${pairs.length + 1}`),
    };
    const name = names[step.name % names.length] ?? '';
    const frame = register(name);
    pair.guest.write(frame);
    pair.model.write({ kind: 'register', name }, frame.length);
    pairs.push(pair);
    return;
  }
  const pair = pairs[step.client % Math.max(1, pairs.length)];
  if (pair === undefined || pair.model.gone) return;
  const { guest } = pair;
  if (step.do === 'say') {
    // Behind REGISTER at once, crossing DELIVERs, several without waiting for a STATUS: all legal.
    const frame = send(step.message);
    guest.write(frame);
    pair.model.write({ kind: 'send', message: step.message }, frame.length);
  } else if (step.do === 'serve') serve(pair, step.size);
  else if (step.do === 'hear') guest.hear(step.size);
  else if (step.do === 'acknowledge') acknowledge(pair, step.full);
  else if (step.do === 'end') {
    guest.session.receiveEnd();
    model.leave(pair.model, 'end');
  } else {
    guest.session.receiveReset();
    model.leave(pair.model, 'reset');
  }
}

/** Everything under way arrives and is acknowledged, until nothing moves. */
function settle(pairs: readonly Pair[]): void {
  for (let moved = true; moved; ) {
    moved = false;
    for (const pair of pairs) {
      const { guest, model } = pair;
      moved ||= guest.toClient.length > 0;
      guest.hear(guest.toClient.length);
      if (model.gone) continue;
      acknowledge(pair, false);
      moved ||= guest.toServer.length > 0;
      serve(pair, guest.toServer.length);
    }
  }
}

test('a room of random clients: nobody misses, doubles, reorders or gets their own, and slow ones leave alone', () => {
  let dismissals = 0;
  let messages = 0;
  fc.assert(
    fc.property(
      fc.array(action, { minLength: 20, maxLength: 160, size: 'max' }),
      fc.constantFrom(2, 5, 1_000),
      (steps, mostWaiting) => {
        const room = openRoom(mostWaiting);
        const model = new Model(mostWaiting);
        const pairs: Pair[] = [];
        for (const step of steps) take(step, room, pairs, model);
        settle(pairs);
        for (const { guest, model: expected } of pairs) {
          expect(guest.delivered).toEqual(expected.delivered);
          expect(guest.statuses).toEqual(expected.statuses);
          expect(guest.session.over).toBe(expected.gone);
          if (!expected.gone) expect(expected.waiting).toEqual([]);
        }
        expect(room.log.lines).toEqual(model.log);
        dismissals += model.log.filter((line) => line.endsWith('(slow)')).length;
        messages += model.log.filter((line) => /^(ann|bob|cy|Ann|di): /.test(line)).length;
      },
    ),
    { seed: 4, numRuns: 500 },
  );
  // The cases reach what they are for.
  expect(dismissals).toBeGreaterThan(100);
  expect(messages).toBeGreaterThan(500);
});
