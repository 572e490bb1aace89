import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryDirectory } from '../support/temporary.ts';
import { serve } from '../support/wirechart.ts';

const example = fileURLToPath(new URL('../../examples/authenticator/', import.meta.url));
const STRANGERS = 300;

function frame(code: number, payload: string): Buffer {
  return Buffer.concat([
    Uint8Array.of(code, payload.length & 0xff, payload.length >> 8),
    Buffer.from(payload),
  ]);
}

async function dial(port: number, localAddress?: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

// Every 127.x.y.z is an address of Linux alone.
test.runIf(process.platform === 'linux')(
  '300 wrong logins at an authenticator that hashes: the median append takes less than 10 ms',
  async () => {
    const cwd = await temporaryDirectory();
    const env = { WIRECHART_USERS: join(cwd, 'users.json') };
    execFileSync(process.execPath, [join(example, 'add-user.js'), 'ann'], {
      env: { ...process.env, ...env },
      input: 'Correct horse',
    });
    const authenticator = join(example, 'authenticator.js');
    const { port } = await serve('message-log', ['--authenticator', authenticator], { cwd, env });
    const ann = await dial(port);
    ann.write(Buffer.concat([frame(1, 'ann'), frame(2, 'Correct horse')]));
    for (let replies = 0; replies < 2; ) replies += (await once(ann, 'data'))[0].length;

    let refused = 0;
    for (let stranger = 0; stranger < STRANGERS; stranger++) {
      const socket = await dial(port, `127.0.2.${(stranger % 250) + 1}`);
      socket.on('data', (replies: Buffer) => {
        if (replies.includes(0xff)) refused++;
      });
      socket.write(Buffer.concat([frame(1, 'ann'), frame(2, `guess ${stranger}`)]));
    }
    const times: number[] = [];
    while (refused < STRANGERS) {
      const began = performance.now();
      ann.write(frame(3, 'x'.repeat(100)));
      await once(ann, 'data');
      times.push(performance.now() - began);
    }
    times.sort((one, other) => one - other);
    expect(times.length).toBeGreaterThan(100);
    expect(times[times.length >> 1]).toBeLessThan(10);
  },
);
