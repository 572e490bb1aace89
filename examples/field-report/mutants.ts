/** Servers with one fault each, and whether `verify` finds it. */
import { expect, test } from 'vitest';
import { type Handlers, listen, type MakeHandlers, type Protocol, type Session } from 'wirechart';
import type { Frames, MessageFrom } from 'wirechart/core';
import { findingsOf, type Verification, type VerifyOptions, verify } from 'wirechart/verify';

/** Handlers with a fault in the place of right ones. */
export type Bent<F extends Frames> = (right: Handlers<F>, session: Session<F>) => Handlers<F>;

/** A server with one fault. */
export interface Mutant<F extends Frames> {
  /** Default: the handlers are right. */
  readonly bent?: Bent<F>;
  /** What it serves by. Default: the declaration that it is verified with. */
  readonly serves?: Protocol<F>;
  /** What one of the findings says. Default: anything. */
  readonly rule?: RegExp;
  /** Default: `faults`; `set-up`: it refuses a sample, in words that the machine allows, and there is no verdict. */
  readonly verdict?: 'faults' | 'set-up';
  /** Why no client that sends what the samples send can see it, and it passes for right. */
  readonly invisible?: string;
}

/** Of what the mutants are. */
export interface Right<F extends Frames> {
  readonly protocol: Protocol<F>;
  /** Made anew for each mutant. */
  handlers(): MakeHandlers<F>;
  /** Default: `k` 0, without a sweep. */
  readonly options?: Partial<VerifyOptions>;
}

/** Serves a mutant, and verifies it. */
export async function verifyMutant<F extends Frames>(
  { protocol, handlers, options }: Right<F>,
  { bent = (right) => right, serves = protocol }: Mutant<F>,
): Promise<Verification> {
  const make = handlers();
  const server = await listen(serves, (session) => bent(make(session), session), {
    host: '127.0.0.1',
    port: 0,
  });
  try {
    return await verify(protocol, { k: 0, sweep: false, ...options, host: '127.0.0.1', port: server.port });
  } finally {
    await server.close();
  }
}

/** A test for each mutant: it is found, or it is invisible and passes. */
export function testMutants<F extends Frames>(
  right: Right<F>,
  mutants: Readonly<Record<string, Mutant<F>>>,
): void {
  test.each(Object.entries(mutants))('mutant: %s', async (_, mutant) => {
    const verification = await verifyMutant(right, mutant);
    const rules = findingsOf(verification).map(({ rule }) => rule);
    const { invisible, verdict = invisible === undefined ? 'faults' : 'conforms' } = mutant;
    expect([verification.verdict, ...rules]).toContain(verdict);
    if (mutant.rule !== undefined) expect(rules.join('\n')).toMatch(mutant.rule);
  });
}

/** Ways to bend the handlers of a protocol, and its order. */
export function bending<F extends Frames>(protocol: Protocol<F>) {
  type Told = MessageFrom<F, 'server'>;
  type Heard = MessageFrom<F, 'client'>;
  type Name<T> = T extends `client.${infer N}` ? N : never;

  type Of<N extends string> = Extract<Heard, { readonly type: `client.${N}` }>;

  /** One handler is another one, which may call the right one. */
  const instead =
    <N extends Name<Heard['type']>>(
      name: N,
      other: (message: Of<N>, right: (message: Of<N>) => unknown, session: Session<F>) => unknown,
    ): Bent<F> =>
    (right, session) => {
      const handler: unknown = Reflect.get(right, name);
      if (typeof handler !== 'function') throw new TypeError(`${name} is no method`);
      const bent = (message: Of<N>) =>
        other(message, (given) => Reflect.apply(handler, right, [given]), session);
      return new Proxy(right, { get: (of, key) => (key === name ? bent : Reflect.get(of, key)) });
    };

  return {
    instead,
    /** The declaration with another edge: in the state `from` this event leads to the state `to`, by their names. */
    leading(from: string, event: string, to: string): Protocol<F> {
      const { table, sides } = protocol;
      const next = table.next.slice();
      const [state, number, target] = [
        table.states.indexOf(from),
        table.events.indexOf(event),
        table.states.indexOf(to),
      ];
      if (Math.min(state, number, target) < 0) throw new TypeError(`no edge ${event} from ${from} to ${to}`);
      next[state * table.events.length + number] = target;
      const bent = { ...table, next };
      const [client, server] = [
        { ...sides.client, table: bent, next },
        { ...sides.server, table: bent, next },
      ];
      return { ...protocol, table: bent, sides: { client, server } };
    },
    /** Each word of an answer becomes none, another or several. */
    saying: (name: Name<Heard['type']>, bend: (word: Told) => readonly Told[]): Bent<F> =>
      instead(name, async (message, right) => {
        const reply = await right(message);
        const words = Array.isArray(reply) ? reply : reply === undefined ? [] : [reply];
        return words.flatMap(bend);
      }),
    /** A handler hears something else than what was said. */
    hearing: <N extends Name<Heard['type']>>(name: N, change: (message: Of<N>) => Of<N>): Bent<F> =>
      instead(name, (message, right) => right(change(message))),
    /** What is asked once is done twice. */
    twice: (name: Name<Heard['type']>): Bent<F> =>
      instead(name, async (message, right) => {
        await right(message);
        return right(message);
      }),
    /** Bends the words of one type. */
    only<T extends Told['type']>(
      type: T,
      bend: (word: Extract<Told, { readonly type: T }>) => readonly Told[],
    ) {
      const isIt = (word: Told): word is Extract<Told, { readonly type: T }> => word.type === type;
      return (word: Told): readonly Told[] => (isIt(word) ? bend(word) : [word]);
    },
  };
}
