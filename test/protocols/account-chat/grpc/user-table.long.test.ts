import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type ClientReadableStream,
  credentials,
  Client as GrpcClient,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { loadSync, type MethodDefinition } from '@grpc/proto-loader';
import { expect, onTestFinished, test } from 'vitest';
import { openPasswords } from '../../../../src/passwords/index.ts';
import {
  PROTO,
  serveUserTable,
  type UserTableOptions,
} from '../../../../src/protocols/account-chat/grpc/user-table.ts';
import { accountChatHandlers } from '../../../../src/protocols/account-chat/handlers.ts';
import { accountChat } from '../../../../src/protocols/account-chat/protocol.ts';
import { listen } from '../../../../src/transport/socket/listen.ts';
import { run } from '../../../outsiders/outsider.ts';
import { Authority, noOpenssl } from '../../../support/certificates.ts';
import { MemoryAccounts } from '../../../support/memory-accounts.ts';
import { temporaryDirectory } from '../../../support/temporary.ts';
import { serve as serveProcess } from '../../../support/wirechart.ts';
import { login, message, register, talk } from '../support.ts';

const plugin = '/usr/bin/grpc_python_plugin';
const python = '/usr/bin/python3';
const noPython =
  spawnSync(python, ['-c', 'import grpc']).status === 0 &&
  spawnSync(plugin, ['--version']).error === undefined
    ? undefined
    : '(skipped: apt-get install python3-grpcio python3-protobuf protobuf-compiler-grpc)';

/** Both ways to the same accounts. */
async function serve(options: Partial<UserTableOptions> = {}) {
  const accounts = new MemoryAccounts();
  const passwords = await openPasswords({ cost: { memoryKiB: 8, passes: 1 }, firstDelay: 0 });
  const faults: unknown[] = [];
  const handlers = accountChatHandlers({ accounts, passwords, onFault: (error) => faults.push(error) });
  const observer = { failed: (_: unknown, error: unknown) => void faults.push(error) };
  const tcp = await listen(accountChat, handlers, { host: '127.0.0.1', port: 0, observer });
  const table = await serveUserTable(handlers, { host: '127.0.0.1', port: 0, observer, ...options });
  onTestFinished(async () => {
    await Promise.all([tcp.close(), table.close()]);
    expect(faults).toEqual([]);
  });
  return { port: tcp.port, address: table.address };
}

const { UserTable: service = {}, ...others } = loadSync(PROTO, { keepCase: true, defaults: true });
const methodOf = (name: string): MethodDefinition<object, object> => Reflect.get(service, name);

/** A channel, with a connection of its own. */
class Channel {
  token = '';
  readonly client: GrpcClient;

  constructor(address: string) {
    this.client = new GrpcClient(address, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    });
    onTestFinished(() => this.client.close());
  }

  /** The reply, or the status in its place. */
  ask(name: string, request: object, { token = '', deadline = 20_000 } = {}): Promise<string> {
    const metadata = new Metadata();
    if (token !== '') metadata.set('account-token', token);
    const { path, requestSerialize, responseDeserialize } = methodOf(name);
    return new Promise((resolve) => {
      const call = this.client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadata,
        { deadline: Date.now() + deadline },
        (error: ServiceError | null, reply?: object) =>
          resolve(
            error === null
              ? String(Reflect.get(reply ?? {}, 'reply'))
              : `${status[error.code]} ${error.details}`,
          ),
      );
      call.on('metadata', (came: Metadata) => {
        this.token = String(came.get('account-token')[0] ?? this.token);
      });
    });
  }

  subscribe(token = ''): Stream {
    const metadata = new Metadata();
    if (token !== '') metadata.set('account-token', token);
    const { path, requestSerialize, responseDeserialize } = methodOf('SubscribeMessages');
    return new Stream(
      this.client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {}, metadata),
    );
  }
}

class Stream {
  readonly heard: string[] = [];
  ended = '';
  /** The server knows of it. */
  readonly stands: Promise<unknown>;

  constructor(call: ClientReadableStream<object>) {
    call.on('data', (came: object) =>
      this.heard.push(`${Reflect.get(came, 'from_user')}: ${Reflect.get(came, 'm')}`),
    );
    call.on('error', (error: ServiceError) => {
      this.ended = `${status[error.code]} ${error.details}`;
    });
    this.stands = once(call, 'metadata').catch(() => {});
    this.cancel = () => call.cancel();
  }

  readonly cancel: () => void;
}

const ann = { username: 'ann', password: 'pw' };
const bob = { username: 'bob', password: 'pw' };

test('messages cross between the wires; an account is logged in once, by whichever', async () => {
  const { port, address } = await serve();
  const [tcp, channel] = [await talk(port), new Channel(address)];
  expect(await channel.ask('RegisterUser', ann)).toBe('Registered.');
  expect(await tcp.ask(register('bob'))).toBe('suc Registered.');
  expect(await channel.ask('LoginUser', ann)).toBe('Logged in.');
  expect(await tcp.ask(login('ann'))).toBe('err Already logged in on another connection.');
  expect(await tcp.ask(login('bob'))).toBe('suc Logged in.');
  const stream = channel.subscribe();
  expect(await channel.ask('MessageUser', { username: 'bob', from_user: 'eve', m: 'hi' })).toBe('Delivered.');
  expect(await tcp.messages(1)).toEqual(['ann: hi']);
  expect(await tcp.ask(message('ann', 'ho'))).toMatch(/^suc (Delivered|The message waits)/);
  await expect.poll(() => stream.heard).toEqual(['bob: ho']);
  const second = new Channel(address);
  expect(await second.ask('LoginUser', bob)).toBe('Already logged in on another connection.');
  expect(await second.ask('DumpUsers', {})).toBe('ann, bob');
  await tcp.leave();
  expect(await channel.ask('MessageUser', { username: 'bob', m: 'later' })).toBe(
    'The message waits for its recipient.',
  );
  expect(await second.ask('LoginUser', bob)).toBe('Logged in.');
  const late = second.subscribe();
  await expect.poll(() => late.heard).toEqual(['ann: later']);
});

test('the machine judges the order: the status says what was expected', async () => {
  const { address } = await serve();
  const channel = new Channel(address);
  await channel.ask('RegisterUser', ann);
  const refused = /^FAILED_PRECONDITION .*state anonymous\.awaiting: expected .*client\.LOG/;
  expect(await channel.ask('MessageUser', { username: 'ann', from_user: 'ann', m: 'x' })).toMatch(refused);
  expect(await channel.ask('DeleteUser', { username: 'ann' })).toMatch(refused);
  const stream = channel.subscribe();
  await expect.poll(() => stream.ended).toMatch(refused);
  expect(await channel.ask('LoginUser', ann)).toBe('Logged in.');
  expect(await channel.ask('LoginUser', ann)).toMatch(/^FAILED_PRECONDITION .*authenticated\.awaiting/);
  expect(await channel.ask('DeleteUser', { username: 'bob' })).toBe('Only your own account can be deleted.');
  expect(await channel.ask('DeleteUser', { username: 'ann' })).toBe('Deleted.');
  expect(await channel.ask('MessageUser', { username: 'ann', m: 'x' })).toMatch(refused);
});

test('content is refused in replies, as over TCP', async () => {
  const { address } = await serve();
  const channel = new Channel(address);
  expect(await channel.ask('RegisterUser', { username: 'a'.repeat(17), password: 'pw' })).toMatch(
    /^Not accepted: /,
  );
  expect(await channel.ask('RegisterUser', { username: 'zoë', password: 'pw' })).toMatch(/^Not accepted: /);
  expect(await channel.ask('RegisterUser', { username: 'a b', password: 'pw' })).toMatch(/^A username is/);
  expect(await channel.ask('LoginUser', { username: 'ann', password: '' })).toMatch(/^A login needs/);
  expect(await channel.ask('FilterUsers', { wildcard: 'x'.repeat(100_000) })).toMatch(/^RESOURCE_EXHAUSTED /);
});

test('a login outlives its channel by its token, until it is idle, or logged in anew by either wire', async () => {
  const { port, address } = await serve({ loginTimeout: 300 });
  const first = new Channel(address);
  await first.ask('RegisterUser', ann);
  await first.ask('RegisterUser', bob);
  await first.ask('LoginUser', ann);
  const { token } = first;
  expect(token).toMatch(/^[\w-]{32}$/);
  const other = new Channel(address);
  const toBob = { username: 'bob', m: 'x' };
  expect(await other.ask('MessageUser', toBob, { token: 'wrong' })).toMatch(/^FAILED_PRECONDITION/);
  expect(await other.ask('MessageUser', toBob, { token })).toMatch(/^The message waits/);
  first.client.close();
  const stream = other.subscribe(token);
  await delay(600);
  // A stream is a use of it.
  expect(await other.ask('MessageUser', toBob, { token })).toMatch(/^The message waits/);
  expect(stream.ended).toBe('');
  const tcp = await talk(port);
  expect(await tcp.ask(login('ann'))).toBe('suc Logged in.');
  await expect.poll(() => stream.ended).toBe('ABORTED The login is over.');
  expect(await other.ask('MessageUser', toBob, { token })).toMatch(/^FAILED_PRECONDITION/);
  await tcp.leave();

  const again = new Channel(address);
  expect(await again.ask('LoginUser', ann)).toBe('Logged in.');
  again.client.close();
  await expect
    .poll(() => other.ask('MessageUser', toBob, { token: again.token }), { interval: 1_000, timeout: 5_000 })
    .toMatch(/^FAILED_PRECONDITION/);
});

test('who deletes with a password needs no login; a wrong one disturbs nobody', async () => {
  const { address } = await serve();
  const channel = new Channel(address);
  await channel.ask('RegisterUser', ann);
  await channel.ask('LoginUser', ann);
  const stranger = new Channel(address);
  expect(await stranger.ask('DeleteUser', { ...ann, password: 'no' })).toBe('Wrong username or password.');
  expect(await stranger.ask('DeleteUser', ann)).toBe('Already logged in on another connection.');
  expect(await channel.ask('DeleteUser', { ...ann, password: 'no' })).toBe('Wrong username or password.');
  expect(await channel.ask('MessageUser', { username: 'ann', m: 'x' })).toMatch(/^The message waits/);
  expect(await channel.ask('DeleteUser', { ...ann, from_user: 'eve' })).toBe('Deleted.');
  expect(await stranger.ask('DumpUsers', {})).toBe('');
});

test('a call that is cancelled, or late, leaves the channel as it was', async () => {
  const { address } = await serve();
  const channel = new Channel(address);
  await channel.ask('RegisterUser', ann);
  expect(await channel.ask('LoginUser', ann, { deadline: -1 })).toMatch(/^DEADLINE_EXCEEDED/);
  expect(await channel.ask('LoginUser', ann)).toBe('Logged in.');
  const stream = channel.subscribe();
  await stream.stands;
  stream.cancel();
  await expect.poll(() => stream.ended).toMatch(/^CANCELLED/);
  // Now the server knows of it too.
  await channel.ask('DumpUsers', {});
  expect(await channel.ask('MessageUser', { username: 'ann', m: 'x' })).toMatch(/^The message waits/);
  const one = channel.subscribe();
  await expect.poll(() => one.heard).toEqual(['ann: x']);
  const two = channel.subscribe();
  await expect.poll(() => one.ended).toMatch(/^ABORTED Another stream/);
  await two.stands;
  expect(await channel.ask('MessageUser', { username: 'ann', m: 'y' })).toMatch(
    /^(Delivered|The message waits)/,
  );
  await expect.poll(() => two.heard).toEqual(['ann: y']);
  expect(one.heard).toEqual(['ann: x']);
});

test.skipIf(noPython !== undefined || noOpenssl !== undefined)(
  `Python, by the .proto alone, in clear and over TLS ${noPython ?? ''}`,
  async () => {
    const folder = await temporaryDirectory();
    const proto = PROTO.replace(/[^/]*$/, '');
    const made = await run('protoc', [
      `-I${proto}`,
      `--plugin=protoc-gen-grpc_python=${plugin}`,
      `--python_out=${folder}`,
      `--grpc_python_out=${folder}`,
      PROTO,
    ]);
    expect(made.stderr).toBe('');
    const authority = new Authority(folder);
    const { certFile, keyFile } = authority.sign('server');
    const client = new URL('user_table_client.py', import.meta.url).pathname;
    for (const secure of [false, true]) {
      const words = ['--grpc', '0', '--data', `${folder}/${secure}.db`];
      const tls = secure ? ['--tls-cert', certFile, '--tls-key', keyFile] : [];
      const server = await serveProcess('account-chat', [...words, ...tls]);
      const at = /gRPC at \S+:(\d+)/.exec(server.stdout)?.[1];
      const ca = secure ? [authority.own.certFile] : [];
      const outcome = await run(python, [client, folder, `localhost:${at}`, ...ca]);
      expect(outcome.stderr).toBe('');
      expect(outcome.stdout.trim().split('\n')).toEqual([
        'register: Registered.',
        'register: Registered.',
        'register: Registered.',
        'again: That name is taken.',
        'wrong: Wrong username or password.',
        'login: Logged in.',
        'dump: ann, bob, gone',
        'filter: bob',
        'delete: Wrong username or password.',
        'delete: Deleted.',
        'send: FAILED_PRECONDITION',
        'ann: Logged in.',
        'waits: The message waits for its recipient.',
        'bob: Logged in.',
        'twice: FAILED_PRECONDITION',
        'ann: one',
        expect.stringMatching(/^goes: (Delivered|The message waits)/),
        'ann: two',
        'status: OK',
        'carried: The message waits for its recipient.',
      ]);
      const stopped = await server.stop();
      expect(stopped.status).toBe(0);
    }
  },
);

test('reflection and health are answered', async () => {
  const { address } = await serve();
  const { service: health } = await import('grpc-health-check');
  const check: MethodDefinition<object, object> = Reflect.get(health as object, 'Check');
  const client = new Channel(address).client;
  const answer = await new Promise<unknown>((resolve, reject) => {
    client.makeUnaryRequest(
      check.path,
      check.requestSerialize,
      check.responseDeserialize,
      { service: 'UserTable' },
      (error: ServiceError | null, value?: object) => (error === null ? resolve(value) : reject(error)),
    );
  });
  expect(answer).toMatchObject({ status: 'SERVING' });
  expect(Object.keys(others)).toContain('messageUser');
});
