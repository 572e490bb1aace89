import { REFUSED, step } from '../machine/table.ts';
import type { AnyProtocol } from '../transport/protocol.ts';
import type { Heard, Wanted } from './answers.ts';
import { Probe, type ServerAddress } from './probe.ts';

/** What a connection beside the one under test needs. */
export interface CompanionOptions {
  readonly address: ServerAddress;
  readonly protocol: AnyProtocol;
  /** Milliseconds for an answer, and for a connection. */
  readonly patience: { readonly reply: number; readonly connect: number };
  readonly signal?: AbortSignal | undefined;
}

const LEAST = 5_000;

/**
 * Holds a dialogue whose answers are nobody's concern on a connection of its own, and answers the connection.
 *
 * @throws the system's error when the server cannot be reached.
 */
export async function converse(
  { address, protocol, patience, signal }: CompanionOptions,
  messages: readonly { readonly type: string }[],
): Promise<Probe> {
  const { table } = protocol;
  const probe = await Probe.connect(address, protocol.decoder('server'), {
    connectTimeout: patience.connect,
    signal,
  });
  let at = step(table, table.initial, table.events.indexOf('transport.accept'));
  const isAnswered = () => {
    for (const { type } of probe.take()) {
      const next = at === REFUSED ? at : step(table, at, table.events.indexOf(type));
      if (next !== REFUSED) at = next;
    }
    return at === REFUSED || table.serverOwes[at] !== 1;
  };
  // What is sent next is judged as if this had been answered: a busy server gets all the time that it may need.
  const reply = Math.max(patience.reply, LEAST);
  await probe.wait(() => probe.over || isAnswered(), reply);
  for (const message of messages) {
    const { event, bytes } = protocol.encode(message);
    probe.send(bytes);
    at = at === REFUSED ? at : step(table, at, event);
    await probe.wait(() => probe.over || isAnswered(), reply);
  }
  return probe;
}

/** Waits for what must be delivered to a companion. @returns why it is not what should come. */
export async function deliveredTo(
  probe: Probe,
  due: readonly Wanted[],
  patience: { readonly reply: number; readonly quiet: number },
): Promise<string | undefined> {
  const missing = [...due];
  const met: Wanted[] = [];
  let wrong: string | undefined;
  let foreign: string | undefined;
  const hear = (message: Heard) => {
    const { type } = message;
    const found = missing.findIndex((one) => one.type === type && one.differs(message) === undefined);
    const [one] = found < 0 ? [] : missing.splice(found, 1);
    if (one !== undefined) met.push(one);
    else if (met.some((other) => other.type === type && other.differs(message) === undefined)) {
      wrong ??= `${type.slice('server.'.length)} was delivered once more than it should`;
    } else foreign ??= missing.find((other) => other.type === type)?.differs(message);
  };
  const look = () => {
    for (const message of probe.take()) hear(message);
    return wrong !== undefined || probe.over;
  };
  await probe.wait(() => look() || missing.length === 0, patience.reply);
  if (wrong === undefined) await probe.wait(look, patience.quiet);
  const [lost] = missing;
  if (wrong !== undefined || lost === undefined) return wrong;
  const bare = lost.type.slice('server.'.length);
  return foreign === undefined ? `${bare} was never delivered` : `${bare} was delivered: ${foreign}`;
}
