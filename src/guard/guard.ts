import type { Duplex } from 'node:stream';
import type { AnyProtocol } from '../transport/protocol.ts';
import { announce } from '../transport/socket/announce.ts';
import type { DialOptions } from '../transport/socket/dial.ts';
import { reach } from '../transport/socket/dial.ts';
import { type Door, type DoorOptions, openDoor } from '../transport/socket/door.ts';
import type { Origin } from '../transport/socket/server.ts';
import { Horizons } from './horizon.ts';
import { Passage, type PassageObserver, type PassageOptions } from './passage.ts';

/** Told what a guard does. */
export interface GuardObserver extends PassageObserver {
  /** The server behind did not answer. */
  unreachable?(peer: string, error: unknown): void;
}

/** Where a guard listens and what it stands in front of. */
export interface GuardOptions extends DoorOptions, PassageOptions {
  readonly upstream: DialOptions;
  /** Dialogues at once; one more is closed. Default: no bound. */
  readonly maxConnections?: number | undefined;
  readonly observer?: GuardObserver | undefined;
}

/** A guard that listens. `close` takes no more clients, and resolves when the last dialogue is over. */
export interface Guard extends Door {
  /** Dialogues under way. */
  readonly passages: ReadonlySet<object>;
}

/**
 * Puts the declared order in front of a server that somebody else has written: no message of a client reaches it at the
 * wrong moment, and none that is malformed. Bytes pass as they came.
 *
 * @throws the system's error when the address cannot be listened on; TypeError for a machine in which a message could be
 * held for ever, because what the server may say unasked makes it illegal.
 */
export async function guard(protocol: AnyProtocol, options: GuardOptions): Promise<Guard> {
  const horizons = new Horizons(protocol.table);
  const [stuck] = horizons.undecidable();
  if (stuck !== undefined && options.reportOnly !== true) {
    const { states, events } = protocol.table;
    throw new TypeError(
      `${protocol.name}: ${events[stuck.event]} in ${states[stuck.state]} would be held for ever: the server may go on unasked to ${states[stuck.after]}, where it is illegal`,
    );
  }
  const passages = new Set<object>();
  const { observer, upstream, maxConnections = Number.POSITIVE_INFINITY } = options;
  const begin = async (plain: Duplex, { peer, change }: Origin): Promise<void> => {
    const place = {};
    passages.add(place);
    plain.on('error', () => {});
    plain.pause();
    try {
      const client = change === undefined ? plain : await change(plain);
      const server = await reach(upstream);
      await new Passage(protocol, horizons, { client, server, peer }, options).closed;
    } catch (error) {
      announce(() => observer?.unreachable?.(peer, error));
      plain.destroy();
    } finally {
      passages.delete(place);
    }
  };
  const door = await openDoor(
    (stream, origin) => {
      if (passages.size >= maxConnections) stream.destroy();
      else void begin(stream, origin);
    },
    { ...options, observer: undefined },
  );
  const { host, port, address } = door;
  return {
    host,
    port,
    address,
    passages,
    get unready() {
      return door.unready;
    },
    close: () => door.close(),
  };
}
