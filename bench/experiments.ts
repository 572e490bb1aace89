import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  actors,
  bareNet,
  bareNetAgain,
  bareNetEach,
  bareNetGroup,
  bareRoom,
  type Contender,
  decodeAndStep,
  decodeByHand,
  decodeRun,
  discard,
  echo,
  recordByHand,
  recordEncode,
  tableStep,
  wirechart,
  wirechartDurable,
  wirechartInspected,
  wirechartMetered,
  wirechartRoom,
} from './contenders.ts';
import { atLeast, atMost, type Claim, type Effort, type Experiment, type Figures } from './experiment.ts';
import { memory } from './memory.ts';
import type { Nanoseconds } from './micro/measure.ts';
import { type Placement, underLoad } from './trial.ts';

const gigabyte = 2 ** 30;
/** No log grows beyond this while measured. */
const mostBytes = gigabyte;

interface Load {
  readonly connections: number;
  readonly window: number;
  readonly payloadBytes: number;
}

/** All comparisons of issue "As fast as a bare socket", in the order of its table. */
export function experiments(): Experiment[] {
  const targeted = [
    closedLoop(
      'pipelined',
      { connections: 50, window: 100, payloadBytes: 32 },
      [bareNetAgain, actors, discard(32)],
      [
        atLeast('pipelined, 50 x window 100: rate against bare net', 'rate', wirechart, bareNet, 0.8),
        atMost('the same: server CPU a message', 'cpu', wirechart, bareNet),
        atLeast('the same: rate against an actor a connection', 'rate', wirechart, actors, 3),
        atLeast('noise: bare net against itself', 'rate', bareNetAgain, bareNet),
      ],
    ),
    closedLoop(
      'ping-pong-50',
      { connections: 50, window: 1, payloadBytes: 32 },
      [bareNetAgain, discard(32)],
      [
        atLeast('ping-pong, 50 connections: rate against bare net', 'rate', wirechart, bareNet, 0.9),
        atMost('the same: server CPU a message', 'cpu', wirechart, bareNet),
        atLeast('noise: bare net against itself', 'rate', bareNetAgain, bareNet),
      ],
    ),
    closedLoop(
      'ping-pong-1',
      { connections: 1, window: 1, payloadBytes: 32 },
      [discard(32)],
      [
        atLeast('ping-pong, 1 connection: rate against bare net', 'rate', wirechart, bareNet, 0.9),
        atMost('the same: server CPU a message', 'cpu', wirechart, bareNet),
      ],
    ),
    durability(),
    micro(
      'gate',
      'the order gate alone, one event',
      [tableStep],
      [
        {
          what: 'table step, ns',
          figure: 'medianNs',
          of: tableStep,
          against: tableStep,
          compare: 'value',
          sense: 'at most',
          target: 10,
        },
      ],
    ),
    micro(
      'decode',
      'decode and step, one frame of 32 bytes out of 100 in a chunk',
      [decodeByHand, decodeAndStep, decodeRun],
      [
        atMost(
          'decode and step of a frame against a hand-written decoder',
          'medianNs',
          decodeRun,
          decodeByHand,
          1.5,
        ),
        atMost('the same, one message at a time', 'medianNs', decodeAndStep, decodeByHand),
      ],
    ),
    micro(
      'record',
      'one record of 32 bytes into the batch',
      [recordByHand, recordEncode],
      [atMost('log encode against a plain copy', 'medianNs', recordEncode, recordByHand)],
    ),
    latency('latency-ping-pong', 1),
    latency('latency-pipelined', 100),
    idleMemory(),
    logSize(),
    watched(100),
    watched(1),
    room(),
  ];
  return [...targeted, ...grid()];
}

/** The loads without a target of their own. */
function grid(): Experiment[] {
  const found: Experiment[] = [];
  for (const window of [1, 100]) {
    for (const connections of [1, 50, 1000]) {
      for (const payloadBytes of [32, 1024, 65_535]) {
        if (payloadBytes === 32 && connections !== 1000 && (window === 1 || connections === 50)) continue;
        // 6 GB under way.
        if (payloadBytes === 65_535 && connections === 1000) continue;
        const kind = window === 1 ? 'ping-pong' : 'pipelined';
        const what = `${kind}, ${connections} x ${window}, ${payloadBytes} bytes: rate against bare net`;
        const load = { connections, window, payloadBytes };
        const claim = atLeast(what, 'rate', wirechart, bareNet);
        found.push({
          ...closedLoop(`${kind}-${connections}-${payloadBytes}`, load, [], [claim]),
          targeted: false,
        });
      }
    }
  }
  return found;
}

function closedLoop(
  name: string,
  load: Load,
  others: readonly Contender[],
  claims: readonly Claim[],
): Experiment {
  const { connections, window, payloadBytes } = load;
  const placement: Placement = window === 1 ? 'one core' : 'free';
  return {
    name,
    title: `${connections} x window ${window}, ${payloadBytes} bytes${placement === 'free' ? '' : ', on one core'}`,
    contenders: [bareNet, wirechart, ...others],
    claims,
    targeted: true,
    trial: (contender, effort) => saturated(contender, load, effort, placement),
  };
}

function saturated(contender: Contender, load: Load, effort: Effort, placement: Placement, logBytes = 0) {
  return underLoad(
    contender,
    (port) => ({
      kind: 'closed-loop',
      port,
      ...load,
      dialogue: contender.dialogue,
      warmUp: effort.warmUp,
      seconds: effort.seconds,
      mostBytes,
    }),
    { placement, logBytes },
  );
}

function durability(): Experiment {
  const load = { connections: 50, window: 100, payloadBytes: 32 };
  return {
    name: 'fsync',
    title: '50 x window 100, 32 bytes, on the disk before the reply',
    contenders: [wirechart, wirechartDurable, bareNet, bareNetGroup, bareNetEach],
    claims: [
      atLeast('--fsync always against --fsync no', 'rate', wirechartDurable, wirechart, 0.6),
      atLeast('--fsync always against one fdatasync a message', 'rate', wirechartDurable, bareNetEach, 50),
      atLeast('floor: one fdatasync a group against none', 'rate', bareNetGroup, bareNet),
    ],
    targeted: true,
    trial: (contender, effort) => saturated(contender, load, effort, 'free'),
  };
}

/** Half of what saturates bare net, found by one run of it; the same absolute rate for everybody. */
function latency(name: string, window: number): Experiment {
  const load = { connections: 50, window, payloadBytes: 32 };
  let rate: number | undefined;
  return {
    name,
    title: `50 connections, open loop in bursts of ${window}, half of what saturates bare net at 50 x window ${window}`,
    contenders: [bareNet, wirechart],
    claims: [
      atMost(
        `p99 latency at half of the load that saturates (window ${window})`,
        'p99',
        wirechart,
        bareNet,
        1.5,
      ),
      atMost('the same: p50', 'p50', wirechart, bareNet),
      atMost('the same: server CPU a message', 'cpu', wirechart, bareNet),
    ],
    targeted: true,
    trial: async (contender, effort): Promise<Figures> => {
      rate ??= ((await saturated(bareNet, load, effort, 'free'))['rate'] ?? 0) / 2;
      const { dialogue } = contender;
      const half = rate;
      const { warmUp, seconds } = effort;
      return underLoad(contender, (port) => {
        return {
          kind: 'open-loop',
          port,
          connections: 50,
          dialogue,
          payloadBytes: 32,
          warmUp,
          seconds,
          rate: half,
          burst: window,
        };
      });
    },
  };
}

function micro(
  name: string,
  title: string,
  contenders: readonly Contender[],
  claims: readonly Claim[],
): Experiment {
  return {
    name,
    title,
    contenders,
    claims,
    targeted: true,
    trial: async ({ script, parameters }): Promise<Figures> => {
      const { stdout } = await promisify(execFile)(process.execPath, [
        fileURLToPath(script),
        ...parameters(0, ''),
      ]);
      const { least, median }: Nanoseconds = JSON.parse(stdout);
      return { medianNs: median, leastNs: least };
    },
  };
}

function idleMemory(): Experiment {
  return {
    name: 'memory',
    title: 'an idle connection, logged in where there is a login (bytes each)',
    contenders: [echo, bareNet, actors, wirechart],
    claims: [
      atMost('memory of an idle connection against a bare echo: RSS', 'rss', wirechart, echo, 1.15),
      atMost('the same: heap and external', 'heap', wirechart, echo, 1.4),
      atMost('the same, against bare net with as many logged in', 'heap', wirechart, bareNet, 1.25),
    ],
    targeted: true,
    trial: (contender, effort) => memory(contender, effort.quick ? [500, 2500] : [1000, 9000]),
  };
}

function logSize(): Experiment {
  const load = { connections: 50, window: 100, payloadBytes: 32 };
  const large: Contender = { ...wirechart, name: 'wirechart, log of 4 GB' };
  return {
    name: 'log-size',
    title: '50 x window 100, 32 bytes, with a log of 0 and of 4 GB (sparse)',
    contenders: [wirechart, large],
    claims: [
      atLeast('cost with a log of 4 GB: rate against an empty one', 'rate', large, wirechart, 0.95),
      {
        what: 'start-up with a log of 4 GB: ms more than with an empty one',
        figure: 'startUp',
        of: large,
        against: wirechart,
        compare: 'difference',
        sense: 'at most',
        target: 1000,
      },
    ],
    targeted: true,
    trial: (contender, effort) =>
      saturated(contender, load, effort, 'free', contender === large ? 4 * gigabyte : 0),
  };
}

/** CPU is judged, not the rate: that one moves more from round to round than all of this costs. */
function watched(window: number): Experiment {
  const load = { connections: 1000, window, payloadBytes: 32 };
  const placement: Placement = window === 1 ? 'one core' : 'free';
  const claims = (what: string, of: Contender): Claim[] => [
    atMost(`${what}, 1,000 x window ${window}: server CPU a message`, 'cpu', of, wirechart, 1.05),
    atLeast('the same: rate', 'rate', of, wirechart),
  ];
  return {
    name: `watched-${window}`,
    title: `1,000 x window ${window}, 32 bytes, with a live page and one viewer, or with metrics`,
    contenders: [wirechart, wirechartInspected, wirechartMetered],
    claims: [...claims('live page, one viewer', wirechartInspected), ...claims('metrics', wirechartMetered)],
    targeted: true,
    trial: (contender, effort) => saturated(contender, load, effort, placement),
  };
}

function room(): Experiment {
  return {
    name: 'room',
    title: 'basic-chat, a room of 1,000 clients (200 when quick), 32 bytes',
    contenders: [bareRoom, wirechartRoom],
    claims: [
      atLeast('basic-chat, fan-out: rate against a bare loop', 'rate', wirechartRoom, bareRoom, 0.7),
      atMost('the same: server CPU a DELIVER', 'cpu', wirechartRoom, bareRoom),
    ],
    targeted: true,
    trial: (contender, { quick, warmUp, seconds }) =>
      underLoad(contender, (port) => {
        return { kind: 'room', port, connections: quick ? 200 : 1000, payloadBytes: 32, warmUp, seconds };
      }),
  };
}
