import type { Envelope } from '../messages/envelope.ts';
import type { AnyProtocol, Role } from '../protocol.ts';

/** What a WebSocket is to carry. */
export interface Cargo {
  /** Whole messages in this envelope, each a message of the WebSocket; `undefined`: bytes, however they are cut. */
  readonly envelope: Envelope | undefined;
  /** Bytes of one message that is received, at most. */
  readonly most: number;
}

/** What `sender` sends of a protocol. Of bytes, a message may be a part of a frame, or many. */
export function cargoOf(
  { envelope, largest }: Pick<AnyProtocol, 'envelope' | 'largest'>,
  sender: Role,
): Cargo {
  return { envelope, most: envelope === undefined ? MOST_BYTES : largest[sender] };
}

/** Of bytes, in one message of a WebSocket. */
const MOST_BYTES = 1024 * 1024;
