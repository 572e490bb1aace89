import { connect, type Socket } from 'node:net';
import type { Contender } from '../contenders.ts';
import {
  atLeast,
  atMost,
  type Claim,
  type Effort,
  type Experiment,
  type Figures,
  median,
} from '../experiment.ts';
import { load } from '../load-process.ts';
import type { Usage } from '../server-process.ts';
import { type Placement, place } from '../trial.ts';
import { pgbenchExperiments } from './pgbench.ts';
import { behind, guard, haproxy, pipe, pipeAgain } from './proxy.ts';

interface Load {
  readonly connections: number;
  readonly window: number;
  readonly payloadBytes: number;
}

/** The guard beside proxies that look at nothing, each in front of a bare server of its own. */
export function guardExperiments(): Experiment[] {
  return [
    through('guard-pipelined', { connections: 50, window: 100, payloadBytes: 32 }, 0.7),
    through('guard-ping-pong-50', { connections: 50, window: 1, payloadBytes: 32 }, 0.75),
    through('guard-ping-pong-1', { connections: 1, window: 1, payloadBytes: 32 }, 0.9),
    through('guard-500', { connections: 50, window: 100, payloadBytes: 500 }),
    through('guard-65535', { connections: 50, window: 100, payloadBytes: 65_535 }),
    latency(),
    memory(),
    ...pgbenchExperiments(),
  ];
}

function through(name: string, job: Load, haproxyTarget?: number): Experiment {
  const { connections, window, payloadBytes } = job;
  const placement: Placement = window === 1 ? 'one core' : 'free';
  const what = `${connections} x window ${window}, ${payloadBytes} bytes`;
  return {
    name,
    title: `${what}${placement === 'free' ? '' : ', all on one core'}, through a proxy to bare net`,
    contenders: [pipe, guard, haproxy],
    claims: [
      atLeast(`${what}: rate against a pipe`, 'rate', guard, pipe, 0.95),
      atLeast('the same, against HAProxy with one thread', 'rate', guard, haproxy, haproxyTarget),
      atMost('the same: CPU a message against a pipe', 'cpu', guard, pipe),
    ],
    targeted: true,
    trial: (contender, { warmUp, seconds }) =>
      behind([contender], placement, async ([proxy]) => {
        let [begun, ended] = [Number.NaN, Number.NaN];
        const seen = await load(
          {
            kind: 'closed-loop',
            port: proxy?.port ?? 0,
            ...job,
            dialogue: 'message-log',
            warmUp,
            seconds,
            mostBytes: 2 ** 30,
          },
          {
            begin: async () => {
              begun = proxy?.cpuSeconds() ?? Number.NaN;
            },
            end: async () => {
              ended = proxy?.cpuSeconds() ?? Number.NaN;
            },
          },
          place(placement),
        );
        return {
          rate: seen.messages / seen.seconds,
          cpu: ((ended - begun) * 1e9) / seen.messages,
          serverCores: (ended - begun) / seen.seconds,
          generatorCores: seen.generatorCores,
        };
      }),
  };
}

/** Pings by turns through a pipe and through another proxy, to one server: what one adds to the other. */
function latency(): Experiment {
  return {
    name: 'guard-latency',
    title: '1 connection, ping-pong by turns through a pipe and through this: what it adds',
    contenders: [guard, pipeAgain],
    claims: [
      added('added latency, us: the guard beyond a pipe', guard, 5),
      added('noise: a pipe beyond a pipe', pipeAgain),
    ],
    targeted: true,
    trial: (contender, { quick }: Effort) =>
      behind([pipe, contender], 'free', async (proxies): Promise<Figures> => {
        const pings = await Promise.all(proxies.map(({ port }) => Pings.open(port)));
        const [first, second] = pings;
        if (first === undefined || second === undefined) throw new Error('two are compared');
        const count = quick ? 5_000 : 20_000;
        const [of, against] = [new Float64Array(count), new Float64Array(count)];
        for (let round = -2_000; round < count; round++) {
          const one = await first.ping();
          const other = await second.ping();
          if (round < 0) continue;
          against[round] = one;
          of[round] = other;
        }
        for (const each of pings) each.close();
        const p50 = median([...of]);
        return { p50, added: (p50 - median([...against])) * 1000 };
      }),
  };
}

function added(what: string, of: Contender, target?: number): Claim {
  const claim = { what, figure: 'added', of, against: of, compare: 'value', sense: 'at most' } as const;
  return target === undefined ? claim : { ...claim, target };
}

function memory(): Experiment {
  return {
    name: 'guard-memory',
    title: 'an idle dialogue, logged in (bytes each, of the proxy)',
    contenders: [pipe, guard, pipeAgain],
    claims: [
      atMost('memory of 9,000 idle dialogues against a pipe: RSS', 'rss', guard, pipe, 1.1),
      atMost('the same: heap and external', 'heap', guard, pipe),
      atMost('noise: the pipe against itself: RSS', 'rss', pipeAgain, pipe),
    ],
    targeted: true,
    trial: (contender, { quick }) =>
      behind([contender], 'free', async ([proxy]) => {
        const counts: readonly [number, number] = quick ? [500, 2500] : [1000, 9000];
        const usages: Usage[] = [];
        const opened = async (): Promise<void> => {
          const usage = await proxy?.usage?.();
          if (usage !== undefined) usages.push(usage);
        };
        await load({ kind: 'idle', port: proxy?.port ?? 0, dialogue: 'message-log', counts }, { opened });
        const [few, many] = usages;
        if (few === undefined || many === undefined) throw new Error('the proxy was not looked at twice');
        const dialogues = counts[1] - counts[0];
        return {
          rss: (many.rss - few.rss) / dialogues,
          heap: (many.heapUsed + many.external - few.heapUsed - few.external) / dialogues,
        };
      }),
  };
}

/** One dialogue that sends a MESSAGE and waits for its answer. */
class Pings {
  static readonly #message = Buffer.from(`\x03\x20\x00${'x'.repeat(32)}`, 'latin1');
  readonly #socket: Socket;
  #answered: () => void = () => {};
  #due = 0;

  private constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', ({ length }) => {
      this.#due -= length;
      if (this.#due === 0) this.#answered();
    });
  }

  static async open(port: number): Promise<Pings> {
    const pings = new Pings(port);
    await pings.#say(Buffer.from('\x01\x05\x00bench\x02\x05\x00Aloud', 'latin1'), 2);
    return pings;
  }

  /** Milliseconds. */
  async ping(): Promise<number> {
    const begun = performance.now();
    await this.#say(Pings.#message, 1);
    return performance.now() - begun;
  }

  close(): void {
    this.#socket.destroy();
  }

  #say(bytes: Buffer, answers: number): Promise<void> {
    return new Promise((resolve) => {
      this.#answered = resolve;
      this.#due = answers;
      this.#socket.write(bytes);
    });
  }
}
