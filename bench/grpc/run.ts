/**
 * `npm run bench:grpc`: FilterUsers over gRPC, answered at once by a server of grpc-js alone, and by ours, whose handlers answer the
 * same, in turns. A line for each load: calls a second of the server's processor, medians of the rounds, and our share.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, credentials, Server, ServerCredentials, type sendUnaryData } from '@grpc/grpc-js';
import { loadSync, type MethodDefinition } from '@grpc/proto-loader';
import { PROTO, serveUserTable } from '../../src/protocols/account-chat/grpc/user-table.ts';

const [ROUNDS, SECONDS] = [3, 1.5];
const { UserTable: service } = loadSync(PROTO, { keepCase: true, defaults: true });
if (service === undefined || 'format' in service) throw new TypeError('no service');
const filter: MethodDefinition<object, object> | undefined = service['FilterUsers'];
if (filter === undefined) throw new TypeError('no FilterUsers');
const asked = filter;
const { path, requestSerialize, responseDeserialize } = asked;
const ANSWER = 'ann, bob, cat';

async function served(which: string): Promise<number> {
  if (which === 'ours') {
    const suc = () => ({ type: 'server.SUC', message: ANSWER }) as const;
    const handlers = { REG: suc, LOG: suc, DEL: suc, ACD: suc, ACF: suc, MSG: suc };
    return (await serveUserTable(() => handlers, { host: '127.0.0.1', port: 0 })).port;
  }
  const server = new Server();
  server.addService(
    { FilterUsers: asked },
    {
      FilterUsers: (_: unknown, answer: sendUnaryData<object>) => answer(null, { reply: ANSWER }),
    },
  );
  return await new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    ),
  );
}

async function started(which: string) {
  const words = ['--import', 'tsx', fileURLToPath(import.meta.url), which];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [port] = await once(child, 'message');
  const cost = async (): Promise<number> => {
    child.send('cost');
    return Number((await once(child, 'message'))[0]);
  };
  return { child, cost, address: `127.0.0.1:${port}` };
}

/** Calls a second of the server's processor, over so many channels, each with so many calls under way. */
async function rate(
  { address, cost }: Awaited<ReturnType<typeof started>>,
  channels: number,
  window: number,
) {
  let answered = 0;
  let asking = true;
  const clients = Array.from(
    { length: channels },
    () => new Client(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 }),
  );
  const ask = (client: Client): void =>
    void client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { wildcard: '*' }, (error) => {
      if (error === null) answered++;
      if (asking) ask(client);
    });
  for (const client of clients) for (let call = 0; call < window; call++) ask(client);
  await setTimeout(500);
  const [at, from] = [await cost(), answered];
  await setTimeout(SECONDS * 1000);
  const result = ((answered - from) * 1e6) / ((await cost()) - at);
  asking = false;
  for (const client of clients) client.close();
  return result;
}

async function compare(): Promise<void> {
  const [bare, ours] = [await started('bare'), await started('ours')];
  for (const [channels, window] of [
    [50, 20],
    [1, 1],
  ] as const) {
    const rates: { bare: number[]; ours: number[] } = { bare: [], ours: [] };
    for (let round = 0; round <= ROUNDS; round++) {
      const one = { bare: await rate(bare, channels, window), ours: await rate(ours, channels, window) };
      // The first is for warming up.
      if (round === 0) continue;
      rates.bare.push(one.bare);
      rates.ours.push(one.ours);
    }
    const median = (all: number[]) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;
    const [theirs, own] = [median(rates.bare), median(rates.ours)];
    console.log(
      `${channels} x ${window}: bare ${theirs.toFixed(0)}/s, ours ${own.toFixed(0)}/s: ${(own / theirs).toFixed(2)}`,
    );
  }
  bare.child.kill();
  ours.child.kill();
}

const [, , which] = process.argv;
if (which === undefined) await compare();
else {
  process.send?.(await served(which));
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.(user + system);
  });
}
