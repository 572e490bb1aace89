import type { ServerMessage, Session } from 'wirechart';
import type { mqtt } from './protocol.ts';

/** A message on its way to subscribers. */
export interface Publication {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: number;
  readonly retain: boolean;
}

export type MqttSession = Session<typeof mqtt.frames>;
type Publish = Extract<ServerMessage<typeof mqtt>, { readonly type: 'server.PUBLISH' }>;

/** Messages that a client may leave unacknowledged, or be away for; one more, and the newest are dropped. */
const MOST_UNACKNOWLEDGED = 100;

/** What the broker knows of a client, under its id: longer than its connection, if it asks for that. */
export class ClientState {
  readonly subscriptions = new Map<string, number>();
  /** Ids of its own QoS 2 messages, from their PUBLISH to their PUBREL: what comes twice is taken once. */
  readonly taken = new Set<number>();
  session: MqttSession | undefined;
  readonly #unacknowledged = new Map<number, Publish | 'released'>();
  #id = 0;

  /** The message as it is to be sent; `undefined` where it cannot be kept until it is acknowledged. */
  prepare({ topic, payload, qos, retain }: Publication): Publish | undefined {
    const plain = { type: 'server.PUBLISH', dup: false, retain, topic, payload } as const;
    if (qos === 0) return this.session?.writable ? { ...plain, qos } : undefined;
    if (this.#unacknowledged.size >= MOST_UNACKNOWLEDGED) return undefined;
    do this.#id = (this.#id % 65_535) + 1;
    while (this.#unacknowledged.has(this.#id));
    const publish = { ...plain, qos, id: this.#id };
    this.#unacknowledged.set(this.#id, publish);
    return publish;
  }

  deliver(publication: Publication): void {
    const publish = this.prepare(publication);
    if (publish !== undefined) this.session?.push(publish);
  }

  /** PUBACK, PUBCOMP: that is done. */
  acknowledged(id: number): void {
    this.#unacknowledged.delete(id);
  }

  /** PUBREC: the message has arrived, and must not be sent again. */
  released(id: number): void {
    if (this.#unacknowledged.has(id)) this.#unacknowledged.set(id, 'released');
  }

  /** All that was not acknowledged, for a client that is back. */
  *due() {
    for (const [id, publish] of this.#unacknowledged) {
      if (publish === 'released') yield { type: 'server.PUBREL', id } as const;
      else yield { ...publish, dup: true };
    }
  }
}
