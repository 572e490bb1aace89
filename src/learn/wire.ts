import { setMaxListeners } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import type { AnyProtocol } from '../transport/protocol.ts';
import { cargoOf } from '../transport/socket/cargo.ts';
import { converse } from '../verify/companion.ts';
import { inWords } from '../verify/dialogue.ts';
import { type Input, inputsOf, type SamplesOf, type Use } from '../verify/inputs.ts';
import { Probe, type ProbeOptions, type ServerAddress } from '../verify/probe.ts';
import { isSociable } from '../verify/project.ts';
import type { Known, System } from './system.ts';

/** How a server is asked. */
export interface WireOptions {
  readonly address: ServerAddress;
  /** Default: the protocol's own. */
  readonly samples?: SamplesOf | undefined;
  /** Milliseconds after which what did not come is silence. Default: 300. */
  readonly patience?: number | undefined;
  /** Milliseconds without anything that end an answer. Default: 40. */
  readonly quiet?: number | undefined;
  /** Dialogues at once. Default: 16, of programs 4; 1 where the declared machine lets connections change each other's state. */
  readonly concurrency?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A server behind an address, and what it can be sent. */
export interface Wired extends System {
  readonly alphabet: readonly string[];
  /** An input as it goes over the wire, with fresh names. @throws RangeError for one that there is not. */
  bytesOf(input: string): Uint8Array;
  /** What it said before anything was sent, `silence` where that was nothing; undefined until somebody has connected. */
  readonly greeting: string | undefined;
}

/**
 * A server as a system: every dialogue is a connection of its own with fresh names in it. An answer is all that comes
 * until it is quiet, and is heard out once: where it is known already, nobody waits longer than until it is there.
 */
export function wired(protocol: AnyProtocol, options: WireOptions): Wired {
  const { samples, patience = 300, quiet = 40, signal } = options;
  const address = { ...options.address, cargo: cargoOf(protocol, 'server') };
  const inputs = new Map(
    inputsOf(protocol, samples)
      .filter(isSent)
      .map((input) => [input.id, input]),
  );
  // A program that is started for each dialogue weighs more than a connection.
  const usual = address.host.startsWith('stdio:') ? 4 : 16;
  const atOnce = isSociable(protocol) ? 1 : (options.concurrency ?? usual);
  if (signal !== undefined) setMaxListeners(3 * atOnce + 4, signal);
  const prefix = Math.floor(Math.random() * 36 ** 4).toString(36);
  let count = 0;
  let greeting: string | undefined;
  const accompanied = {
    address,
    protocol,
    patience: { reply: patience, connect: CONNECT },
    signal,
  };
  const useOf = (name: string) => {
    const use = inputs.get(name)?.use(`l${prefix}${(count++).toString(36)}`, -1);
    if (use === undefined) throw new RangeError(`no input "${name}"`);
    return use;
  };
  return {
    bytesOf: (input) => useOf(input).bytes,
    get greeting() {
      return greeting;
    },
    atOnce,
    alphabet: [...inputs.keys()],
    async connect() {
      const probe = await reach(accompanied);
      const companions: Probe[] = [];
      const litter: Use['cleanup'][number][][] = [];
      const hear = async (known?: Known) => {
        const messages = [...probe.take()];
        const words = () => {
          messages.push(...probe.take());
          return inWords(probe.observe(messages)).replace('resets', 'closes');
        };
        const settled = () => probe.over || (known?.sure === true && words() === known.output);
        // A busy machine is late, and a lost answer looks like silence: what was heard once is given more time.
        await probe.wait(() => settled() || probe.pending, known === undefined ? patience : DOUBT * patience);
        while (!settled()) {
          const since = performance.now() - probe.heardAt;
          if (since >= quiet) break;
          await probe.wait(settled, quiet - since);
        }
        return { output: words(), closes: probe.over };
      };
      // Heard out: one that came late would be part of the first answer ever after.
      const known = { output: greeting ?? '', sure: greeting !== undefined };
      greeting = (await hear(known)).output;
      return {
        async send(name, known) {
          signal?.throwIfAborted();
          const use = useOf(name);
          if (use.before.length > 0) companions.push(await converse(accompanied, use.before));
          if (use.cleanup.length > 0) litter.push([...use.cleanup]);
          probe.send(use.bytes, use.messages);
          return hear(known);
        },
        async end() {
          for (const open of [probe, ...companions]) open.destroy();
          // Also after Ctrl-C.
          const cleaner = { ...accompanied, signal: undefined };
          for (const messages of litter) {
            try {
              (await converse(cleaner, messages)).destroy();
            } catch {
              // A server that cannot be reached any more is found out by the next dialogue; this one may have ended by an error already.
            }
          }
        },
      };
    },
  };
}

/** So many times as long it waits for what was answered before. */
const DOUBT = 3;
/** Milliseconds for a connection. */
const CONNECT = 5_000;

/** A connection; one that is refused is tried again: a queue may have been full. */
async function reach(options: ProbeOptions): Promise<Probe> {
  for (const pause of [20, 200, 1_000, undefined]) {
    options.signal?.throwIfAborted();
    try {
      return await Probe.connect(options);
    } catch (error) {
      if (options.signal?.aborted || pause === undefined) throw error;
      await setTimeout(pause);
    }
  }
  throw new Error('no connection');
}

/** Half an input and the end alone tell more of a transport than of an order. */
function isSent({ kind, swept }: Input): boolean {
  return swept === undefined && kind !== 'end' && kind !== 'truncated' && kind !== 'misdirected';
}
