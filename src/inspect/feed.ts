import type { IncomingMessage, ServerResponse } from 'node:http';
import type { StateValue } from 'xstate';
import { activeStates } from '../diagram/chart.ts';
import type { AnyProtocol } from '../transport/protocol.ts';
import type { StepCounts } from '../transport/step-counts.ts';
import { EventStream } from './event-stream.ts';
import type { LiveMessages, Order, RefusalNote, Row, Step, StepMessages } from './page/message.ts';
import type { Places } from './places.ts';
import type { Roster, Visit } from './roster.ts';

/** Ten times a second: to the eye that is at once, and its cost does not depend on the flow. */
const INTERVAL = 100;
/** The list moves more slowly, or nobody could read it. */
const LIST_EVERY = 5;
/** Rows of the list that are sent; more than these nobody reads. */
const MOST_ROWS = 100;
/** Steps of a followed connection that are told one by one in one interval. */
const MOST_STEPS = 40;

/** What the feed reads. */
export interface FeedSources {
  readonly protocol: AnyProtocol;
  readonly stepCounts: StepCounts;
  readonly roster: Roster;
  readonly places: Places;
  /** Of each state of the table. */
  readonly values: readonly StateValue[];
}

interface Viewer {
  readonly stream: EventStream<LiveMessages>;
  readonly order: Order;
  /** Only connections in this top-level state. */
  readonly top: string | undefined;
  /** Only connections of this number, or whose peer begins so; all when it is empty. */
  readonly find: string;
  /** Number of the last refusal that was told. */
  refusal: number;
  ticks: number;
}

/**
 * What the page shows, sampled from the stepCounts: while nobody looks nothing runs, and a viewer costs the same however
 * many messages flow. Each message is the whole truth of its moment, so late and slow viewers need no special care.
 */
export class Feed {
  readonly #sources: FeedSources;
  readonly #started = Date.now();
  /** Numbers of the table's cells in which a client's message was taken. */
  readonly #messages: readonly number[];
  readonly #viewers = new Set<Viewer>();
  #timer: NodeJS.Timeout | undefined;

  constructor(sources: FeedSources) {
    this.#sources = sources;
    const { events, next } = sources.protocol.table;
    this.#messages = [...next.keys()].filter((cell) => events[cell % events.length]?.startsWith('client.'));
  }

  /** Shows everything, live, with the list of connections as `query` asks: `order`, `state` (a top-level one), `find`. */
  show(query: URLSearchParams, request: IncomingMessage, response: ServerResponse): void {
    const stream = new EventStream<LiveMessages>(request, response, () => this.#leave(viewer));
    const order = orders.find((known) => known === query.get('order')) ?? 'newest';
    const asked = { top: query.get('state') ?? undefined, find: query.get('find') ?? '' };
    const viewer = { stream, order, ...asked, refusal: 0, ticks: 0 };
    const { states, edges } = this.#sources.places;
    stream.send('hello', { started: this.#started, states, edges });
    this.#viewers.add(viewer);
    this.#tell();
    this.#timer ??= setInterval(() => this.#tell(), INTERVAL);
  }

  /** Follows the connection with the number `id` step by step, to its end. @returns false when it is not there. */
  follow(id: number, request: IncomingMessage, response: ServerResponse): boolean {
    const { roster, protocol } = this.#sources;
    const visit = roster.find(id);
    if (visit === undefined) return false;
    const { session } = visit;
    const { states, events } = protocol.table;
    const standing = () => ({ state: session.stateName, within: this.#within(session.state) });
    let steps: Step[] = [];
    let skipped = 0;
    const tell = (): void => {
      if (steps.length === 0 || stream.choked) return;
      stream.send('steps', { steps, skipped, ...standing() });
      steps = [];
      skipped = 0;
    };
    const room = (): boolean => {
      if (steps.length < MOST_STEPS) return true;
      skipped++;
      return false;
    };
    const timer = setInterval(tell, INTERVAL);
    const stream = new EventStream<StepMessages>(request, response, () => {
      clearInterval(timer);
      unfollow();
    });
    const unfollow = roster.follow(session, {
      step(event, from, to) {
        if (!room()) return;
        const [name = '', before = '', after = ''] = [events[event], states[from], states[to]];
        steps.push({ at: Date.now(), event: name, from: before, to: after });
      },
      refused({ received, state, message }) {
        if (room()) steps.push({ at: Date.now(), event: received, from: state, error: message });
      },
      ended(cause) {
        tell();
        stream.send('ended', { cause });
        stream.end();
      },
    });
    stream.send('begin', { id, peer: session.peer, since: visit.since, ...standing() });
    return true;
  }

  #leave(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    if (this.#viewers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tell(): void {
    const { stepCounts, roster, places } = this.#sources;
    const live = {
      now: Date.now(),
      connections: roster.visits.size,
      standing: places.standing(stepCounts),
      refused: places.refused(stepCounts),
      taken: places.taken(stepCounts),
      messages: this.#messages.reduce((sum, cell) => sum + (stepCounts.taken[cell] ?? 0), 0),
      refusals: sum(stepCounts.refused) + sum(stepCounts.garbled),
    };
    for (const viewer of this.#viewers) {
      const { stream } = viewer;
      if (stream.choked) continue;
      stream.send('live', live);
      if (viewer.ticks++ % LIST_EVERY === 0) stream.send('list', this.#listing(viewer));
      const refusals = roster.refusals.filter(({ number }) => number > viewer.refusal);
      viewer.refusal = refusals.at(-1)?.number ?? viewer.refusal;
      if (refusals.length > 0)
        stream.send(
          'refusals',
          refusals.map((refusal) => this.#note(refusal)),
        );
    }
  }

  #listing({ order, top, find }: Viewer): LiveMessages['list'] {
    const { roster, protocol } = this.#sources;
    const matching = [...roster.visits.values()].filter(
      ({ session: { id, peer, state } }) =>
        (top === undefined || protocol.table.tops[state] === top) &&
        (find === '' || peer.startsWith(find) || String(id) === find),
    );
    return { matching: matching.length, rows: first(matching, order).map(rowOf) };
  }

  #note({ number, at, session, error }: Roster['refusals'][number]): RefusalNote {
    const { code: kind, state, received, expected } = error;
    const within = this.#within(this.#sources.protocol.table.states.indexOf(state));
    return { number, at, id: session.id, peer: session.peer, kind, state, within, received, expected };
  }

  #within(state: number): readonly string[] {
    const value = this.#sources.values[state];
    return value === undefined ? [] : activeStates(value);
  }
}

const orders = ['newest', 'oldest', 'busiest', 'refused'] as const satisfies readonly Order[];

/** The first rows of the list; only the orders that count have to sort. */
function first(visits: readonly Visit[], order: Order): readonly Visit[] {
  switch (order) {
    case 'oldest':
      return visits.slice(0, MOST_ROWS);
    case 'newest':
      return visits.slice(-MOST_ROWS).reverse();
    case 'busiest':
      return visits.toSorted((a, b) => b.session.received - a.session.received).slice(0, MOST_ROWS);
    case 'refused':
      return visits.toSorted((a, b) => b.refusals - a.refusals).slice(0, MOST_ROWS);
  }
}

function rowOf({ session, since, refusals, lastError }: Visit): Row {
  const { id, peer, stateName, received } = session;
  return {
    id,
    peer,
    state: stateName,
    since,
    received,
    refusals,
    ...(lastError !== undefined && { error: lastError }),
  };
}

function sum(counts: Float64Array): number {
  return counts.reduce((total, count) => total + count, 0);
}
