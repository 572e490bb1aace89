import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryDirectory } from '../../support/temporary.ts';
import { serve } from '../../support/wirechart.ts';

const [REG, LOG, ERR, SUC] = [0, 1, 6, 7];
const ANSWER = 257;

function frame(code: number, username: string, password: string): Buffer {
  const bytes = Buffer.alloc(81);
  bytes[0] = code;
  bytes.write(username, 1, 'latin1');
  bytes.write(password, 17, 'latin1');
  return bytes;
}

/** From an address of its own: every 127.x.y.z is this machine. */
async function dial(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** The code of the answer. */
async function ask(socket: Socket, request: Buffer): Promise<number> {
  socket.write(request);
  let answer = Buffer.alloc(0);
  while (answer.length < ANSWER) answer = Buffer.concat([answer, (await once(socket, 'data'))[0]]);
  return answer[0] ?? -1;
}

/** Sends the next login as soon as the last is answered, for as long as the test lasts. */
function keepGuessing(socket: Socket, username: (attempt: number) => string): void {
  let attempt = 0;
  let open = 0;
  const next = () => socket.write(frame(LOG, username(attempt++), 'a guess'));
  socket.on('data', (chunk: Buffer) => {
    for (open += chunk.length; open >= ANSWER; open -= ANSWER) next();
  });
  next();
}

const LOGINS = 60;
const STRANGERS = 100;

// Every 127.x.y.z is an address of Linux alone.
test.runIf(process.platform === 'linux').each([
  ['at the accounts themselves', true, (stranger: number) => `user${stranger % LOGINS}`],
  ['at an account of its own each time', true, (stranger: number, n: number) => `x${stranger}-${n}`],
  ['behind the address of the honest', false, (stranger: number, n: number) => `x${stranger}-${n}`],
])(
  '100 strangers who keep guessing passwords %s: 54 of 60 logins succeed, each within a second',
  async (_how, apart, username) => {
    const { port } = await serve('account-chat', ['--data', join(await temporaryDirectory(), 'accounts.db')]);
    const registering = await dial(port);
    for (let user = 0; user < LOGINS; user++) {
      expect(await ask(registering, frame(REG, `user${user}`, 'a long walk'))).toBe(SUC);
    }
    for (let stranger = 0; stranger < STRANGERS; stranger++) {
      const address = apart ? `127.0.1.${stranger + 1}` : '127.0.0.1';
      keepGuessing(await dial(port, address), (attempt) => username(stranger, attempt));
    }
    // Every stranger has been told no once.
    const outsider = await dial(port);
    expect(await ask(outsider, frame(LOG, 'nobody', 'a guess'))).toBe(ERR);
    await new Promise((resolve) => setTimeout(resolve, 1_000));

    const times: number[] = [];
    for (let user = 0; user < LOGINS; user++) {
      const began = performance.now();
      const socket = await dial(port);
      if ((await ask(socket, frame(LOG, `user${user}`, 'a long walk'))) === SUC) {
        times.push(performance.now() - began);
      }
      socket.destroy();
    }
    times.sort((one, other) => one - other);
    expect(times.filter((time) => time < 1000).length).toBeGreaterThanOrEqual(LOGINS * 0.9);
  },
  120_000,
);
