import type { ClientMessage, Handlers } from 'wirechart';
import { ClientState, type MqttSession, type Publication } from './client-state.ts';
import type { mqtt } from './protocol.ts';
import { takes } from './topics.ts';

type Connect = Extract<ClientMessage<typeof mqtt>, { readonly type: 'client.CONNECT' }>;

const REFUSED_LEVEL = { type: 'server.REFUSAL', code: 1 } as const;
const REFUSED_ID = { type: 'server.REFUSAL', code: 2 } as const;
/** States and retained messages that are kept; beyond, the oldest client that is away is forgotten. */
const MOST_KEPT = 10_000;

/** All clients, and what is retained. In memory: a restart forgets everything. */
export class Broker {
  readonly #clients = new Map<string, ClientState>();
  readonly #retained = new Map<string, Publication>();
  #nameless = 0;

  readonly handlers = (session: MqttSession): Handlers<typeof mqtt.frames> => {
    let client = new ClientState();
    let will: Publication | undefined;
    let forget = () => {};
    const publish = (publication: Publication) => this.#publish(publication);
    return {
      CONNECT: (message) => {
        if (message.level !== 4 || message.clientId === undefined) return REFUSED_LEVEL;
        const { clientId, cleanSession = false, keepAlive = 0 } = message;
        if (isContradiction(message)) {
          session.close(undefined, 'a flag without its field');
          return;
        }
        if (clientId === '' && !cleanSession) return REFUSED_ID;
        // One that no client is likely to choose.
        const id = clientId === '' ? `\0${this.#nameless++}` : clientId;
        const before = this.#clients.get(id);
        // [MQTT-3.1.4-2]
        before?.session?.close(undefined, 'taken over');
        const sessionPresent = !cleanSession && this.#clients.has(id);
        client = this.#keep(id, sessionPresent ? before : undefined);
        client.session = session;
        const own = client;
        forget = () => {
          own.session = undefined;
          if (cleanSession && this.#clients.get(id) === own) this.#clients.delete(id);
        };
        will = willOf(message);
        // One and a half times what it promised [MQTT-3.1.2-24].
        session.limits(keepAlive === 0 ? {} : { idleTimeout: keepAlive * 1500 });
        return [{ type: 'server.CONNACK', sessionPresent }, ...client.due()];
      },
      PUBLISH0: (message) => {
        publish({ ...message, qos: 0 });
        return undefined;
      },
      PUBLISH1: (message) => {
        publish({ ...message, qos: 1 });
        return { type: 'server.PUBACK', id: message.id };
      },
      PUBLISH2: (message) => {
        const { id } = message;
        if (!client.taken.has(id)) publish({ ...message, qos: 2 });
        client.taken.add(id);
        return { type: 'server.PUBREC', id };
      },
      PUBREL: ({ id }) => {
        client.taken.delete(id);
        return { type: 'server.PUBCOMP', id };
      },
      PUBACK({ id }) {
        client.acknowledged(id);
        return undefined;
      },
      PUBREC({ id }) {
        client.released(id);
        return { type: 'server.PUBREL', id };
      },
      PUBCOMP({ id }) {
        client.acknowledged(id);
        return undefined;
      },
      SUBSCRIBE: ({ id, filters }) => {
        for (const { filter, qos } of filters) client.subscriptions.set(filter, qos);
        const codes = filters.map(({ qos }) => qos);
        const retained = filters.flatMap((asked) => this.#retainedFor(client, asked));
        return [{ type: 'server.SUBACK', id, codes }, ...retained];
      },
      UNSUBSCRIBE({ id, filters }) {
        for (const filter of filters) client.subscriptions.delete(filter);
        return { type: 'server.UNSUBACK', id };
      },
      PINGREQ: () => ({ type: 'server.PINGRESP' }),
      DISCONNECT() {
        will = undefined;
        return undefined;
      },
      ended() {
        forget();
        if (will !== undefined) publish(will);
      },
    };
  };

  #keep(id: string, before: ClientState | undefined): ClientState {
    this.#clients.delete(id);
    if (this.#clients.size >= MOST_KEPT) {
      const [away] = [...this.#clients].find(([, { session }]) => session === undefined) ?? [];
      if (away !== undefined) this.#clients.delete(away);
    }
    const client = before ?? new ClientState();
    this.#clients.set(id, client);
    return client;
  }

  #publish({ topic, payload, qos, retain }: Publication): void {
    // What came is a part of a larger piece of memory, which must not be kept with it.
    const kept = { topic, payload: Uint8Array.from(payload), qos, retain: false };
    if (retain && payload.length === 0) this.#retained.delete(topic);
    else if (retain && (this.#retained.has(topic) || this.#retained.size < MOST_KEPT))
      this.#retained.set(topic, { ...kept, retain: true });
    for (const client of this.#clients.values()) {
      const asked = [...client.subscriptions].filter(([filter]) => takes(filter, topic));
      // Once, whatever the number of its filters, at the highest QoS of them [MQTT-3.3.5-1].
      const most = Math.max(...asked.map(([, most]) => most));
      if (asked.length > 0) client.deliver({ ...kept, qos: Math.min(qos, most) });
    }
  }

  #retainedFor(client: ClientState, { filter, qos }: { readonly filter: string; readonly qos: number }) {
    return [...this.#retained.values()]
      .filter(({ topic }) => takes(filter, topic))
      .flatMap((kept) => client.prepare({ ...kept, qos: Math.min(kept.qos, qos) }) ?? []);
  }
}

/** [MQTT-3.1.2-11, 13, 15, 22] */
function isContradiction({ will, willQos = 0, willRetain = false, username, password }: Connect): boolean {
  return (
    (will === undefined && (willQos > 0 || willRetain)) || (username === undefined && password !== undefined)
  );
}

function willOf({ will, willQos = 0, willRetain = false }: Connect): Publication | undefined {
  return will && { ...will, qos: willQos, retain: willRetain };
}
