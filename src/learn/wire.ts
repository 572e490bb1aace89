import type { AnyProtocol } from '../transport/protocol.ts';
import { cargoOf } from '../transport/socket/web-socket-stream.ts';
import { inWords } from '../verify/dialogue.ts';
import { type Input, inputsOf, type SamplesOf } from '../verify/inputs.ts';
import { Probe, type ServerAddress } from '../verify/probe.ts';
import type { System } from './system.ts';

/** How a server is asked. */
export interface WireOptions {
  readonly address: ServerAddress;
  /** Default: the protocol's own. */
  readonly samples?: SamplesOf | undefined;
  /** Milliseconds after which what did not come is silence. Default: 300. */
  readonly patience?: number | undefined;
  /** Milliseconds without anything that end an answer. Default: 15. */
  readonly quiet?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A server behind an address, and what it can be sent. */
export interface Wired extends System {
  readonly alphabet: readonly string[];
}

/**
 * A server as a system: every dialogue is a connection of its own with fresh names in it. An answer is all that comes
 * until it is quiet, and is heard out once: where it is known already, nobody waits longer than until it is there.
 */
export function wired(protocol: AnyProtocol, options: WireOptions): Wired {
  const { samples, patience = 300, quiet = 15, signal } = options;
  const address = { ...options.address, cargo: cargoOf(protocol, 'server') };
  const inputs = new Map(
    inputsOf(protocol, samples)
      .filter(isSent)
      .map((input) => [input.id, input]),
  );
  const prefix = Math.floor(Math.random() * 36 ** 4).toString(36);
  let count = 0;
  let greeting: string | undefined;
  return {
    alphabet: [...inputs.keys()],
    async connect() {
      signal?.throwIfAborted();
      const probe = await Probe.connect(address, protocol.decoder('server'), {
        connectTimeout: 5_000,
        signal,
      });
      const hear = async (known: string | undefined) => {
        const messages = [...probe.take()];
        const words = () => {
          messages.push(...probe.take());
          return inWords(probe.observe(messages)).replace('resets', 'closes');
        };
        const settled = () => probe.over || (known !== undefined && words() === known);
        await probe.wait(() => settled() || probe.pending, patience);
        while (!settled()) {
          const since = performance.now() - probe.heardAt;
          if (since >= quiet) break;
          await probe.wait(settled, quiet - since);
        }
        return { output: words(), closes: probe.over };
      };
      greeting = (await hear(greeting)).output;
      return {
        async send(name, known) {
          signal?.throwIfAborted();
          const use = inputs.get(name)?.use(`l${prefix}${(count++).toString(36)}`, -1);
          if (use === undefined) throw new RangeError(`no input "${name}"`);
          probe.send(use.bytes);
          return hear(known);
        },
        end: () => probe.destroy(),
      };
    },
  };
}

/** Half an input and the end alone tell more of a transport than of an order. */
function isSent({ kind, swept }: Input): boolean {
  return swept === undefined && kind !== 'end' && kind !== 'truncated' && kind !== 'misdirected';
}
