import { Content, type Pieces } from '../transport/content.ts';
import type { Entry, Framing } from '../transport/decoder.ts';
import { Inbox } from '../transport/inbox.ts';
import type { AnyProtocol, Role } from '../transport/protocol.ts';
import { wanting } from '../transport/receiving.ts';

/** One direction of a dialogue: what came of one end, and how its frames are read. */
export class Side {
  readonly role: Role;
  readonly inbox = new Inbox();
  /** What reads all frames, where that is the same in all states. */
  readonly only: Framing | undefined;
  /** Content under way, which is read piece by piece. */
  pieces: Pieces | undefined;
  readonly #protocol: AnyProtocol;

  constructor(protocol: AnyProtocol, role: Role) {
    this.role = role;
    this.#protocol = protocol;
    this.only = protocol.framing(role) ?? onlyDecoder(protocol, role);
  }

  /** What reads the frames in these states; `undefined` where it differs. */
  readable(states: readonly number[]): Framing | undefined {
    let found: Framing | undefined;
    for (const state of states) {
      const decoder = this.#protocol.decoder(this.role, state);
      if (found !== undefined && decoder !== found) return undefined;
      found = decoder;
    }
    found ??= this.#protocol.decoder(this.role);
    this.use(found);
    return found;
  }

  /** What was half identified by another, and how much was wanted for it, counts no more. */
  use(decoder: Framing): void {
    const { inbox } = this;
    if (inbox.readBy === decoder) return;
    if (inbox.readBy !== undefined) inbox.rewind(inbox.at);
    inbox.readBy = decoder;
  }

  /** Reads a frame; content that comes in pieces follows it. @returns as the decoder. */
  read(decoder: Framing, entry: Entry): object | undefined {
    const message = decoder.read(this.inbox, entry);
    const { streams } = entry.frame;
    if (message === undefined || streams === undefined) return message;
    const content: unknown = Reflect.get(message, streams);
    const pieces = content instanceof Content ? content.pieces : undefined;
    if (pieces?.whole === false) this.pieces = pieces;
    return message;
  }

  /** @throws LocalError where nothing was taken from `at` and nothing is wanted: it would be asked for ever. */
  checkMoved(at: number, pieces: Pieces | undefined): void {
    if (this.inbox.at === at && this.pieces === pieces) wanting(this.inbox);
  }

  /** Moves past a piece of content. @returns false where it is faulty. */
  stream(): boolean {
    const { inbox, pieces } = this;
    inbox.start = inbox.at;
    pieces?.read(inbox);
    if (inbox.fault !== undefined) return false;
    if (pieces?.whole !== false) this.pieces = undefined;
    return true;
  }
}

const onlyDecoders = new WeakMap<AnyProtocol, { readonly [R in Role]: Framing | undefined }>();

function onlyDecoder(protocol: AnyProtocol, role: Role): Framing | undefined {
  let known = onlyDecoders.get(protocol);
  if (known === undefined) {
    const only = (of: Role) => {
      const [first, ...others] = protocol.table.states.map((_, state) => protocol.decoder(of, state));
      return others.every((decoder) => decoder === first) ? first : undefined;
    };
    known = { client: only('client'), server: only('server') };
    onlyDecoders.set(protocol, known);
  }
  return known[role];
}
