import { existsSync } from 'node:fs';
import type { Dialogue } from './load/job.ts';

/** A server that takes part: ours or a floor. */
export interface Contender {
  readonly name: string;
  /** Plain JavaScript, ours and floors alike. */
  readonly script: URL;
  readonly dialogue: Dialogue;
  parameters(port: number, log: string): string[];
}

/** Both `.cache/bench` (compiled) and `dist` are two levels below the same root. */
const dist = (path: string): URL => new URL(`../../dist/${path}`, import.meta.url);
const floors = (path: string): URL => new URL(`./floors/${path}`, import.meta.url);

const messageLog =
  (...more: string[]) =>
  (port: number, log: string): string[] => [String(port), '--log', log, ...more];

/** On the address of the floors: on all interfaces a socket is one of IPv6, which costs the system a little more. */
function ours(name: string, ...more: string[]): Contender {
  return {
    name,
    script: dist('server.js'),
    dialogue: 'message-log',
    parameters: messageLog('--host', '127.0.0.1', ...more),
  };
}

function floor(name: string, path: string, dialogue: Dialogue, ...more: string[]): Contender {
  return { name, script: floors(path), dialogue, parameters: messageLog(...more) };
}

export const wirechart = ours('wirechart', '--fsync', 'no');
export const wirechartDurable = ours('wirechart --fsync always', '--fsync', 'always');
export const wirechartMetered = ours('wirechart --metrics', '--fsync', 'no', '--metrics', '0');
/** Viewed while it is measured. */
export const wirechartInspected = ours('wirechart --inspect', '--fsync', 'no', '--inspect', '0');
export const bareNet = floor('bare net', 'bare-net.js', 'message-log');
/** The same once more: how far two equal servers are apart on this machine today. */
export const bareNetAgain = floor('bare net again', 'bare-net.js', 'message-log');
export const bareNetGroup = floor(
  'bare net, fdatasync a group',
  'bare-net.js',
  'message-log',
  '--fsync',
  'group',
);
export const bareNetEach = floor(
  'bare net, fdatasync a message',
  'bare-net.js',
  'message-log',
  '--fsync',
  'each',
);
export const actors = floor('an actor a connection', 'actor.js', 'message-log');
export const echo = floor('bare echo', 'echo.js', 'echo');
/** Frames are 3 bytes longer than their payload. */
export const discard = (payloadBytes: number): Contender =>
  floor('discard and reply', 'discard.js', 'discard', '--frame-bytes', String(payloadBytes + 3));

export const wirechartRoom: Contender = {
  name: 'wirechart basic-chat',
  script: dist('cli/wirechart.js'),
  dialogue: 'message-log',
  parameters: (port, log) => ['serve', 'basic-chat', String(port), '--host', '127.0.0.1', '-l', log],
};
export const bareRoom = floor('bare loop over sockets', 'fan-out.js', 'message-log');

/** A small benchmark of its own: prints nanoseconds for one operation. */
const micro = (name: string, path: string, ...more: string[]): Contender => {
  return {
    name,
    script: new URL(`./micro/${path}`, import.meta.url),
    dialogue: 'discard',
    parameters: () => more,
  };
};
export const tableStep = micro('table step', 'table-step.js');
export const decodeByHand = micro('hand-written decoder', 'decode-by-hand.js');
export const decodeAndStep = micro('wirechart, one by one', 'decode-and-step.js', 'one');
export const decodeRun = micro('wirechart, run by run', 'decode-and-step.js', 'run');
export const recordByHand = micro('record by hand', 'record-by-hand.js');
export const recordEncode = micro('wirechart record', 'record-encode.js');

/** False for what is not built (yet). */
export function exists(contender: Contender): boolean {
  return existsSync(contender.script);
}
