/**
 * `npm run bench:grpc`: FilterUsers over gRPC, answered at once by a server of grpc-js alone, and by ours, whose handlers answer the
 * same, in turns. A line for each load: calls a second of the server's processor, medians of the rounds, and our share.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Client, credentials, Server, ServerCredentials, type sendUnaryData } from '@grpc/grpc-js';
import { loadSync, type MethodDefinition } from '@grpc/proto-loader';
import { PROTO, serveUserTable } from '../../src/protocols/account-chat/grpc/user-table.ts';
import { inTurns, rateOf, tellCost } from '../in-turns.ts';

const ROUNDS = 3;
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
  return { child, address: `127.0.0.1:${port}` };
}

/** Calls a second of the server's processor, over so many channels, each with so many calls under way. */
async function rate(server: Awaited<ReturnType<typeof started>>, channels: number, window: number) {
  let answered = 0;
  let asking = true;
  const clients = Array.from(
    { length: channels },
    () => new Client(server.address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 }),
  );
  const ask = (client: Client): void =>
    void client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { wildcard: '*' }, (error) => {
      if (error === null) answered++;
      if (asking) ask(client);
    });
  for (const client of clients) for (let call = 0; call < window; call++) ask(client);
  const result = await rateOf(server, () => answered, 500);
  asking = false;
  for (const client of clients) client.close();
  return result;
}

const [, , which] = process.argv;
if (which === undefined) {
  const pair = { bare: await started('bare'), ours: await started('ours') };
  const loads = [
    [50, 20],
    [1, 1],
  ] as const;
  await inTurns(pair, loads, ROUNDS, rate);
} else {
  process.send?.(await served(which));
  tellCost();
}
