import { setTimeout } from 'node:timers/promises';
import type { AnyProtocol } from '../transport/protocol.ts';
import type { Heard } from './answers.ts';
import { converse } from './companion.ts';
import { inWords, type Target } from './dialogue.ts';
import { Probe } from './probe.ts';
import { targetOf, type VerifyOptions } from './verify.ts';

/** What a server said to a word. */
export interface Said {
  /** What came on connecting, `''` where nothing did. It belongs to no input. */
  readonly greeting: string;
  /**
   * One for each input that was sent: the messages that came until it was quiet, by their names, with `closes` or
   * `resets` behind them where the server ended; `silence` where nothing came.
   */
  readonly outputs: readonly string[];
  /** The messages behind each output, with their contents. */
  readonly messages: readonly (readonly Heard[])[];
  /** `closed`: the server ended the dialogue, and the rest of the word was not sent; `hung`: it takes no connection. */
  readonly ended: 'open' | 'closed' | 'hung';
}

/** How words are asked. */
export interface AskOptions extends VerifyOptions {
  /** Milliseconds of quiet after which an answer is taken to be whole. Default 50. */
  readonly quiet?: number | undefined;
}

/**
 * Somebody to ask words: each is a dialogue over a connection of its own, with fresh names, and nothing is expected of
 * the answers. What learns drives an implementation through this.
 *
 * @example
 * ```ts
 * const asking = new Asking(protocol, { host: '127.0.0.1', port: 5555 });
 * const { outputs, ended } = await asking.ask(['NAME', 'PASSWORD']); // ['ACCEPT', 'ACCEPT'], 'open'
 * const sure = await asking.askUntilSure(['NAME', 'MESSAGE']); // outvotes flaky answers
 * ```
 */
export class Asking {
  /** Ids of the inputs that a word is made of: those of the protocol's samples, and what is derived from them. */
  readonly inputs: readonly string[];
  readonly #target: Target;
  readonly #quiet: number;

  constructor(protocol: AnyProtocol, options: AskOptions) {
    this.#target = targetOf(protocol, { ...options, sweep: false });
    this.#quiet = options.quiet ?? 50;
    this.inputs = this.#target.projection.inputs.map(({ id }) => id);
  }

  /**
   * Sends a word over a connection of its own, at most as many at once as the options let.
   *
   * @throws RangeError for an input that there is not; the signal's reason when it is aborted.
   */
  ask(word: readonly string[]): Promise<Said> {
    return this.#target.turns.run(() => this.#ask(word));
  }

  /**
   * Asks until one answer was given `votes` times more often than any other, or `most` times.
   *
   * @returns the answer given most, and how many of how many agreed.
   */
  async askUntilSure(
    word: readonly string[],
    { votes = 2, most = 9 }: { readonly votes?: number; readonly most?: number } = {},
  ): Promise<{ readonly said: Said; readonly agreed: number; readonly asked: number }> {
    const counts = new Map<string, { said: Said; agreed: number }>();
    for (let asked = 1; ; asked++) {
      const said = await this.ask(word);
      const key = JSON.stringify([said.greeting, said.outputs, said.ended]);
      const agreed = (counts.get(key)?.agreed ?? 0) + 1;
      counts.set(key, { said, agreed });
      const [first, second] = [...counts.values()].sort((one, other) => other.agreed - one.agreed);
      const isSure = (first?.agreed ?? 0) - (second?.agreed ?? 0) >= votes;
      if (first !== undefined && (isSure || asked >= most)) return { ...first, asked };
    }
  }

  async #ask(word: readonly string[]): Promise<Said> {
    const { projection, address, patience, signal, unique } = this.#target;
    const { protocol } = projection;
    const inputs = word.map((id) => {
      const input = projection.inputs.find((known) => known.id === id);
      if (input === undefined) throw new RangeError(`no input "${id}": expected ${this.inputs.join(', ')}`);
      return input;
    });
    const probe = await this.#connect();
    if (probe === undefined) return { greeting: '', outputs: [], messages: [], ended: 'hung' };
    const companions: Probe[] = [];
    const outputs: string[] = [];
    const messages: (readonly Heard[])[] = [];
    const hear = async (isDue: boolean): Promise<string> => {
      const heard: Heard[] = [];
      const look = () => {
        const more = probe.take();
        heard.push(...more);
        return probe.over || more.length > 0;
      };
      await probe.wait(look, isDue ? patience.reply : this.#quiet);
      // An answer may be several messages: it is whole when it is quiet.
      for (let before = -1; before < heard.length && !probe.over; ) {
        before = heard.length;
        await probe.wait(look, this.#quiet);
      }
      messages.push(heard);
      return inWords(probe.observe(heard));
    };
    try {
      const first = await hear(projection.greeting !== undefined);
      messages.length = 0;
      for (const input of inputs) {
        if (probe.over) break;
        const use = input.use(unique(), -1);
        if (use.before.length > 0) {
          companions.push(await converse({ address, protocol, patience, signal }, use.before));
        }
        probe.send(use.bytes);
        if (use.ends) probe.end();
        outputs.push(await hear(use.ends));
      }
      return {
        greeting: first === 'silence' ? '' : first,
        outputs,
        messages,
        ended: probe.over ? 'closed' : 'open',
      };
    } finally {
      for (const open of [probe, ...companions]) open.destroy();
    }
  }

  async #connect(): Promise<Probe | undefined> {
    const { projection, address, patience, signal } = this.#target;
    for (const pause of [20, 200, undefined]) {
      try {
        const options = { connectTimeout: patience.connect, signal };
        return await Probe.connect(address, projection.protocol.decoder('server'), options);
      } catch (error) {
        if (signal?.aborted) throw error;
        if (pause === undefined) return undefined;
        await setTimeout(pause);
      }
    }
    return undefined;
  }
}
