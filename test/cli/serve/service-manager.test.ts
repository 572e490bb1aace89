import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { noPython } from '../../outsiders/outsider.ts';
import { temporaryDirectory } from '../../support/temporary.ts';
import { serve } from '../../support/wirechart.ts';

const missing =
  noPython ??
  (spawnSync('systemd-notify', ['--version']).status === 0 ? undefined : 'there is no systemd-notify');

/** The socket of a service manager, which Node cannot open, and what it hears, line by line. */
const MANAGER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); print('bound', flush=True)
while True: print(s.recv(4096).decode().replace('\\n', ' '), flush=True)
`;

async function manager(
  path: string,
): Promise<{ hears(what: string): Promise<void>; readonly heard: string }> {
  const child = spawn('python3', ['-c', MANAGER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill());
  let heard = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    heard += text;
    child.emit('heard');
  });
  const hears = async (what: string) => {
    while (!heard.includes(what)) await once(child, 'heard');
  };
  await hears('bound');
  return {
    hears,
    get heard() {
      return heard;
    },
  };
}

test.skipIf(missing !== undefined).each([1, 2])(
  'the service manager hears that it is ready, lives and stops (%i processes)',
  async (workers) => {
    const directory = await temporaryDirectory();
    const path = join(directory, 'notify');
    const told = await manager(path);
    const server = await serve('message-log', ['--workers', String(workers)], {
      cwd: directory,
      env: { NOTIFY_SOCKET: path, WATCHDOG_USEC: '1000000' },
    });
    await told.hears('READY=1');
    await told.hears('WATCHDOG=1');
    expect(told.heard).not.toContain('STOPPING');
    const { status, stderr } = await server.stop();
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    await told.hears('STOPPING=1');
    expect(told.heard.match(/READY=1/g)).toHaveLength(1);
  },
);

test.skipIf(missing !== undefined)(
  'one that cannot be reached is said once, and the server serves',
  async () => {
    const directory = await temporaryDirectory();
    const server = await serve('message-log', [], {
      cwd: directory,
      env: { NOTIFY_SOCKET: join(directory, 'nobody'), WATCHDOG_USEC: '200000' },
    });
    await server.says(/the service manager cannot be told READY=1: systemd-notify ended with 1\n/);
    const { status, stderr } = await server.stop();
    expect(status).toBe(0);
    expect(stderr.match(/systemd-notify/g)).toHaveLength(1);
  },
);
