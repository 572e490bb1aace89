import type { Heard, Wanted } from './answers.ts';
import { Probe, type ProbeOptions } from './probe.ts';

const LEAST = 5_000;

/**
 * Holds a dialogue whose answers are nobody's concern on a connection of its own, and answers the connection.
 *
 * @throws the system's error when the server cannot be reached.
 */
export async function converse(
  options: ProbeOptions & { readonly patience: { readonly reply: number } },
  messages: readonly { readonly type: string }[],
): Promise<Probe> {
  const { protocol, patience } = options;
  const probe = await Probe.connect(options);
  // What is sent next is judged as if this had been answered: a busy server gets all the time that it may need.
  const answered = () => probe.wait(() => probe.over || !probe.awaits, Math.max(patience.reply, LEAST));
  await answered();
  for (const message of messages) {
    probe.send(protocol.encode(message).bytes, [message]);
    await answered();
  }
  // What it was told so far belongs to nothing that is due.
  probe.take();
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
