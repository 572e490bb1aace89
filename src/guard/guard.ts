import type { AnySession, ServerObserver } from '../transport/observer.ts';
import type { AnyProtocol } from '../transport/protocol.ts';
import { type DialOptions, reach } from '../transport/socket/dial.ts';
import { type Door, type DoorOptions, doorTo, openDoor } from '../transport/socket/door.ts';
import { writeProxyHeader } from '../transport/socket/proxy-header.ts';
import { type Origin, Reception, type ReceptionOptions } from '../transport/socket/reception.ts';
import { Horizons } from './horizon.ts';
import { Passage, type PassageContext, type PassageOptions } from './passage.ts';

/** Where a guard listens, whom it lets in, and what it stands in front of. */
export interface GuardOptions extends DoorOptions, ReceptionOptions, PassageOptions {
  readonly upstream: DialOptions;
  /** The server behind is told who the client is, by a PROXY header of this version. Default: it is not. */
  readonly sendProxy?: 1 | 2 | undefined;
  readonly observer?: ServerObserver | undefined;
}

/** A guard that listens. `close` takes no more clients, and resolves when the last dialogue is over. */
export interface Guard extends Door {
  /** Dialogues under way. */
  readonly sessions: ReadonlySet<AnySession>;
}

/**
 * Puts the declared order in front of a server that somebody else has written: no message of a client reaches it at the
 * wrong moment, and none that is malformed. Bytes pass as they came.
 *
 * @throws the system's error when the address cannot be listened on; TypeError for a machine in which a message could be
 * held for ever, because what the server may say unasked makes it illegal; TypeError for an `afterUpgrade` that goes over to TLS
 * with those who never ask for it, or that should pass everything untouched.
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
  const { afterUpgrade } = options;
  const terminates = typeof afterUpgrade === 'object';
  if (terminates && Object.keys(protocol.upgrades).length === 0)
    throw new TypeError(
      `${protocol.name}: no message asks for another wire, so there is no TLS to go over to`,
    );
  if (terminates && options.reportOnly === true)
    throw new TypeError('what only reports passes everything untouched: it cannot go over to TLS with both');
  const context: PassageContext = { protocol, horizons, options, left: (passage) => reception.left(passage) };
  const begin = (passage: Passage, ends: Origin['ends']) => {
    const header = options.sendProxy && writeProxyHeader(options.sendProxy, ends);
    // Where TLS comes about later, bytes must come as events.
    reach(options.upstream, terminates ? undefined : (bytes) => passage.serverSaid(bytes)).then(
      (server) => {
        if (header !== undefined) server.write(header);
        passage.begin(server);
      },
      (error: unknown) => passage.fail(error),
    );
  };
  const reception = new Reception<Passage>(
    protocol.table,
    options,
    (stream, origin, id) => {
      stream.pause();
      const { peer, source } = origin;
      const session = new Passage(context, stream, { id, peer, source });
      begin(session, origin.ends);
      return { session, destroy: () => session.destroy() };
    },
    (passage) => passage.open(),
  );
  const door = await openDoor((stream, origin) => reception.accept(stream, origin), options);
  return doorTo(door, reception.sessions, () => reception.close());
}
