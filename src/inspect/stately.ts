import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { createInspector } from '@statelyai/inspect';
import { type WebSocket, WebSocketServer } from 'ws';
import type { StateValue } from 'xstate';
import { configOf } from '../diagram/xstate.ts';
import { isLoopback } from '../transport/address.ts';
import type { AnySession } from '../transport/observer.ts';
import type { AnyProtocol } from '../transport/protocol.ts';
import type { Roster, Visit } from './roster.ts';

const INTERVAL = 100;
/** A connection with more steps in one interval is sampled: its state, once a second. */
const MOST_STEPS = 20;
/** Steps of all connections together that are told in one interval. */
const MOST_TOLD = 200;
/** Intervals from one sample to the next. */
const SAMPLE_EVERY = 10;
/** Bytes that may wait for a viewer; it is told of nothing but new actors until they are gone. */
const MOST_WAITING = 1024 * 1024;
/** With more than these it will never catch up. */
const HOPELESS = 64 * 1024 * 1024;

/** What is known of a connection while somebody views. */
interface Actor {
  readonly session: AnySession;
  /** Event and the state after it, by turns. */
  steps: number[];
  /** Ends the following; absent while it is sampled. */
  unfollow: (() => void) | undefined;
  /** Messages taken up to the last sample. */
  received: number;
}

/**
 * Every connection as an actor of the protocol's real machine, for Stately's viewer and for any other client of its
 * inspection messages (`@xstate.actor`, `@xstate.event`, `@xstate.snapshot`), one JSON message a WebSocket message.
 *
 * The table is what runs, so the actors are told from its steps. Only types of events are ever sent: the payloads of
 * messages do not come here. The library's own server is not used: it listens on all interfaces, and whoever comes
 * after 200 messages misses the actors. Here a late viewer is told of every actor, with its definition, at once.
 */
export class StatelyFeed {
  readonly #roster: Roster;
  readonly #events: readonly string[];
  readonly #final: Uint8Array;
  readonly #values: readonly StateValue[];
  readonly #logic: { readonly config: object };
  readonly #actors = new Map<AnySession, Actor>();
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: 1024, clientTracking: true });
  readonly #inspector;
  /** Whom the inspector's next message is for. */
  #audience: Iterable<WebSocket> = [];
  #timer: NodeJS.Timeout | undefined;
  #ticks = 0;
  #told = 0;

  constructor(protocol: AnyProtocol, values: readonly StateValue[], roster: Roster) {
    this.#roster = roster;
    this.#events = protocol.table.events;
    this.#final = protocol.table.final;
    this.#values = values;
    this.#logic = { config: configOf(protocol.machine) };
    this.#inspector = createInspector({
      send: (message) => {
        const { sessionId } = message;
        // Each actor is its own root; the library knows none for actors that it did not start.
        const about = { rootId: sessionId, ...(message.type === '@xstate.actor' && { name: sessionId }) };
        const text = JSON.stringify({ ...message, ...about });
        for (const socket of this.#audience) socket.send(text);
      },
    });
  }

  /** Takes a viewer, from this machine only. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (!isLoopback(request.socket.remoteAddress ?? '')) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (viewer) => this.#join(viewer));
  }

  close(): void {
    this.#stop();
    for (const socket of this.#sockets.clients) socket.terminate();
  }

  #join(viewer: WebSocket): void {
    viewer.on('error', () => viewer.terminate());
    viewer.on('close', () => {
      if (this.#sockets.clients.size === 0) this.#stop();
    });
    // The others have heard of them.
    this.#audience = [viewer];
    for (const { session } of this.#roster.visits.values()) {
      if (!this.#actors.has(session)) this.#watch(session);
      this.#introduce(session);
    }
    if (this.#timer !== undefined) return;
    this.#roster.newcomers.add(this.#welcome);
    this.#timer = setInterval(() => this.#tell(), INTERVAL);
  }

  readonly #welcome = ({ session }: Visit): void => {
    this.#audience = this.#sockets.clients;
    this.#watch(session);
    this.#introduce(session);
  };

  #introduce(session: AnySession): void {
    // In the form in which the library finds the definition; of a bare id it would drop it.
    const actor = {
      sessionId: idOf(session),
      logic: this.#logic,
      send: () => undefined,
      getSnapshot: () => undefined,
    };
    this.#inspector.actor(actor, { status: 'active', value: this.#values[session.state], context: {} });
  }

  #watch(session: AnySession): void {
    const actor: Actor = { session, steps: [], unfollow: undefined, received: session.received };
    this.#actors.set(session, actor);
    this.#follow(actor);
  }

  #follow(actor: Actor): void {
    actor.unfollow = this.#roster.follow(actor.session, {
      step: (event, _, to) => {
        if (actor.steps.length < 2 * MOST_STEPS) actor.steps.push(event, to);
        else this.#sample(actor);
      },
      ended: () => {
        this.#audience = this.#ready();
        this.#tellSteps(actor);
        this.#tellState(actor, 'done');
        this.#actors.delete(actor.session);
      },
    });
  }

  /** From now on only now and then: a busy connection is not slowed down by those who look at it. */
  #sample(actor: Actor): void {
    actor.unfollow?.();
    actor.unfollow = undefined;
    actor.steps = [];
  }

  #tell(): void {
    this.#audience = this.#ready();
    this.#ticks++;
    this.#told = 0;
    for (const actor of this.#actors.values()) {
      if (actor.unfollow !== undefined) this.#tellSteps(actor);
      else if ((actor.session.id + this.#ticks) % SAMPLE_EVERY === 0) this.#tellSample(actor);
    }
  }

  #tellSteps(actor: Actor): void {
    for (let at = 0; at < actor.steps.length; at += 2) {
      const [event = 0, to = 0] = actor.steps.slice(at, at + 2);
      if (++this.#told > MOST_TOLD) {
        this.#sample(actor);
        break;
      }
      this.#inspector.event(idOf(actor.session), { type: this.#events[event] ?? '' });
      this.#tellState(actor, this.#final[to] === 1 ? 'done' : 'active', to, this.#events[event]);
    }
    actor.steps = [];
  }

  #tellSample(actor: Actor): void {
    const taken = actor.session.received - actor.received;
    actor.received = actor.session.received;
    if (!this.#roster.visits.has(actor.session)) {
      this.#tellState(actor, 'done');
      this.#actors.delete(actor.session);
      return;
    }
    if (taken > 0) this.#tellState(actor, 'active');
    if (taken < MOST_STEPS) this.#follow(actor);
  }

  #tellState(
    { session }: Actor,
    status: 'active' | 'done',
    state = session.state,
    type = 'wirechart.sampled',
  ): void {
    const snapshot = { status, value: this.#values[state], context: {} };
    this.#inspector.snapshot(idOf(session), snapshot, { event: { type } });
  }

  #ready(): WebSocket[] {
    const viewers = [...this.#sockets.clients];
    for (const viewer of viewers) if (viewer.bufferedAmount > HOPELESS) viewer.terminate();
    return viewers.filter(({ bufferedAmount }) => bufferedAmount < MOST_WAITING);
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#roster.newcomers.delete(this.#welcome);
    for (const actor of this.#actors.values()) this.#sample(actor);
    this.#actors.clear();
  }
}

function idOf({ id, peer }: AnySession): string {
  return `${id} ${peer}`;
}
