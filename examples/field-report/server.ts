import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { AnyProtocol } from 'wirechart';
import type { VerifyOptions } from 'wirechart/verify';

/** A server of the report: how it is started, and what is thought of what is found in it. */
export interface FieldServer {
  readonly name: string;
  readonly protocol: AnyProtocol;
  /** `undefined` where it is not installed. */
  version(): string | undefined;
  /** Serves on a port of this machine alone. @returns what stops it. */
  start(port: number): Promise<() => Promise<void>>;
  /**
   * What is not usual: where it is reached when that is no port (`stdio:COMMAND`, started for each dialogue), samples that it
   * accepts, how many connections it serves at once, how deep is searched.
   */
  readonly options?: Partial<Pick<VerifyOptions, 'host' | 'samples' | 'concurrency' | 'k'>>;
  readonly verdicts: readonly FieldVerdict[];
  /** A script that shows every fault without wirechart: `python3 SCRIPT HOST PORT` ends with 0 when all show. */
  readonly evidence?: string;
}

/** What is thought of the findings whose rule matches. */
export interface FieldVerdict {
  readonly rule: RegExp;
  readonly verdict: 'fault' | 'freedom' | 'unclear';
  /** The clause, and what it says. */
  readonly because: string;
}

/** The version that a package.json says. */
export const versionIn = (path: URL): string => JSON.parse(readFileSync(path, 'utf8')).version;

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('expected a TCP address');
  return address.port;
}

/** Starts a program that serves on `port`. @returns what stops it, once it listens. */
export async function startProgram(
  port: number,
  command: string,
  args: readonly string[],
  env = process.env,
) {
  const child = spawn(command, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const exited = once(child, 'exit');
  const stop = async () => {
    child.kill();
    await exited;
  };
  for (let tries = 0; tries < 100; tries++) {
    if (child.exitCode !== null) throw new Error(`${command} ended before it listened`);
    const socket = connect(port, '127.0.0.1');
    // Nothing but asking tells when another program listens.
    const listens = await once(socket, 'connect')
      .then(() => true)
      .catch(() => false);
    socket.destroy();
    if (listens) return stop;
    await setTimeout(100);
  }
  await stop();
  throw new Error(`${command} does not listen on port ${port}`);
}
