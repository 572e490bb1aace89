import { fileURLToPath } from 'node:url';
import type { ServerUnaryCall, ServerWritableStream, StatusObject, sendUnaryData } from '@grpc/grpc-js';
import { openDoor } from '../../../cli/index.ts';
import type { ListenOptions } from '../../../index.ts';
import {
  type Answer,
  Dialogue,
  Gone,
  type MakeDialogueHandlers,
  NotAsked,
  OutOfOrder,
  type Subscriber,
  TooLong,
} from './dialogue.ts';
import { type Channel, Logins } from './logins.ts';

/** Where the service is described: for clients, and for the server itself. */
export const PROTO = fileURLToPath(
  new URL('../../../../src/protocols/account-chat/user-table.proto', import.meta.url),
);

/** How it is served; where and for whom, as any server. */
export interface UserTableOptions extends ListenOptions {
  /** How long a token carries a login whose channel is gone, in milliseconds. Default 10 minutes. */
  readonly loginTimeout?: number | undefined;
}

/** In metadata, both ways. */
const TOKEN = 'account-token';
/** Far above the largest request: 529 bytes, and their framing. */
const LONGEST_REQUEST = 16 * 1024;
const MOST_CALLS = 100;
/** Whether a channel is there is asked after so many milliseconds of silence, and it is gone after these. */
const [KEEP_ALIVE, KEEP_ALIVE_TIMEOUT] = [60_000, 20_000];
const GRACE = 2_000;

interface Reply {
  readonly reply: string;
}
interface Request {
  readonly username: string;
  readonly password: string;
  readonly wildcard: string;
  readonly m: string;
}
type Call = ServerUnaryCall<Request, Reply>;
type Work = (call: Call, channel: Channel) => Promise<Answer>;

/**
 * Serves the accounts over gRPC: the same handlers, and the same machine.
 *
 * @param open gives a dialogue its handlers.
 * @throws the system's error when the address cannot be listened on; Error where a package is not installed.
 */
export async function serveUserTable(open: MakeDialogueHandlers, options: UserTableOptions) {
  const [grpc, { loadSync }, { HealthImplementation }, { ReflectionService }] = await Promise.all([
    import('@grpc/grpc-js'),
    import('@grpc/proto-loader'),
    import('grpc-health-check'),
    import('@grpc/reflection'),
  ]);
  const { observer, stepCounts, numbers = { first: 1, step: 1 } } = options;
  const logins = new Logins(options.loginTimeout);
  const channels = new Map<string, Channel>();
  const dialogues = new Set<Dialogue>();
  let number = numbers.first;

  function begin({ peer, source }: Channel): Dialogue {
    const dialogue = new Dialogue(
      open,
      { id: number, peer: `grpc:${peer}`, source, observer },
      { stepCounts },
    );
    number += numbers.step;
    dialogues.add(dialogue);
    dialogue.onEnd = () => {
      dialogues.delete(dialogue);
      logins.remove(dialogue);
    };
    return dialogue;
  }

  /** That of the token, or else that of the channel. */
  function dialogueOf(call: Pick<Call, 'metadata'>, channel: Channel): Dialogue {
    const [token] = call.metadata.get(TOKEN);
    const carried = token === undefined ? undefined : logins.find(String(token));
    if (carried !== undefined) return carried;
    if (channel.dialogue === undefined || channel.dialogue.over) channel.dialogue = begin(channel);
    return channel.dialogue;
  }

  /** Does something in a dialogue of its own, which ends with the call. */
  async function alone(
    call: Call,
    channel: Channel,
    work: (dialogue: Dialogue) => Promise<Answer>,
  ): Promise<Answer> {
    const dialogue = begin(channel);
    call.on('cancelled', () => dialogue.leave());
    try {
      return await work(dialogue);
    } finally {
      dialogue.leave();
    }
  }

  /** Asks in the call's dialogue; where that was over before, in the next. */
  async function within(
    call: Call,
    channel: Channel,
    request: Parameters<Dialogue['ask']>[0],
  ): Promise<Answer> {
    const dialogue = dialogueOf(call, channel);
    const done = logins.use(dialogue);
    try {
      return await dialogue.ask(request, () => call.cancelled);
    } catch (error) {
      if (!(error instanceof NotAsked) || call.cancelled) throw error;
      return await within(call, channel, request);
    } finally {
      done();
    }
  }

  const works: Readonly<Record<string, Work>> = {
    RegisterUser: (call, channel) =>
      alone(call, channel, (dialogue) => dialogue.ask({ type: 'client.REG', ...credentials(call) })),
    async LoginUser(call, channel) {
      const answer = await within(call, channel, { type: 'client.LOG', ...credentials(call) });
      const dialogue = dialogueOf(call, channel);
      if (!answer.isDone || call.cancelled) return answer;
      const metadata = new grpc.Metadata();
      metadata.set(TOKEN, logins.add(dialogue));
      call.sendMetadata(metadata);
      if (!channels.has(channel.peer)) logins.release(dialogue);
      return answer;
    },
    async DeleteUser(call, channel) {
      const own = dialogueOf(call, channel);
      const { username, password } = credentials(call);
      if (password === '') {
        if (username !== '' && own.account !== undefined && username !== own.account)
          return { isDone: false, text: 'Only your own account can be deleted.' };
        return await within(call, channel, { type: 'client.DEL' });
      }
      return await alone(call, channel, async (dialogue) => {
        // Who knows the password may take the place of the login that it has itself.
        const { replaceable } = own;
        own.replaceable ||= own.account === username;
        try {
          const login = await dialogue.ask({ type: 'client.LOG', username, password });
          return login.isDone ? await dialogue.ask({ type: 'client.DEL' }) : login;
        } finally {
          own.replaceable = replaceable;
        }
      });
    },
    DumpUsers: (call, channel) => within(call, channel, { type: 'client.ACD' }),
    FilterUsers: (call, channel) =>
      within(call, channel, { type: 'client.ACF', wildcard: call.request.wildcard }),
    MessageUser: (call, channel) =>
      within(call, channel, {
        type: 'client.MSG',
        toUsername: call.request.username,
        content: call.request.m,
      }),
  };

  function refusal(error: unknown): Partial<StatusObject> {
    const { status } = grpc;
    if (error instanceof OutOfOrder) return { code: status.FAILED_PRECONDITION, details: error.message };
    if (error instanceof TooLong) return { code: status.RESOURCE_EXHAUSTED, details: error.message };
    if (error instanceof Gone) return { code: status.ABORTED, details: error.message };
    return { code: status.INTERNAL, details: 'The server failed.' };
  }

  const unary = (work: Work) => async (call: Call, answer: sendUnaryData<Reply>) => {
    try {
      answer(null, { reply: (await work(call, channelOf(call))).text });
    } catch (error) {
      answer(refusal(error));
    }
  };

  /** A channel that went while its call was on the way has one that nobody will ever see again. */
  function channelOf(call: { getPeer(): string }): Channel {
    const peer = call.getPeer();
    return channels.get(peer) ?? { peer, source: peer, dialogue: undefined };
  }

  async function subscribe(
    call: ServerWritableStream<unknown, { username: string; from_user: string; m: string }>,
  ): Promise<void> {
    const dialogue = dialogueOf(call, channelOf(call));
    const done = logins.use(dialogue);
    const fail = (status: Partial<StatusObject>) => call.emit('error', status);
    const subscriber: Subscriber = {
      take: (from_user, m) => call.write({ username: dialogue.account ?? '', from_user, m }),
      ended: (why) => fail({ code: grpc.status.ABORTED, details: why }),
    };
    const leave = () => {
      dialogue.unsubscribe(subscriber);
      done();
    };
    call.once('close', leave);
    call.on('drain', () => dialogue.wake());
    call.on('cancelled', () => dialogue.unsubscribe(subscriber));
    try {
      await dialogue.subscribe(subscriber);
      // At once, so that the client knows that it hears all from here on.
      call.sendMetadata(new grpc.Metadata());
      if (call.cancelled) dialogue.unsubscribe(subscriber);
    } catch (error) {
      fail(refusal(error));
    }
  }

  const description = loadSync(PROTO, { keepCase: true, defaults: true });
  const service = description['UserTable'];
  if (service === undefined || 'format' in service) throw new TypeError(`${PROTO} has no service UserTable`);
  const server = new grpc.Server({
    'grpc.max_receive_message_length': LONGEST_REQUEST,
    'grpc.max_concurrent_streams': MOST_CALLS,
    'grpc.keepalive_time_ms': KEEP_ALIVE,
    'grpc.keepalive_timeout_ms': KEEP_ALIVE_TIMEOUT,
    'grpc.enable_channelz': 0,
  });
  server.addService(service, {
    ...Object.fromEntries(Object.entries(works).map(([name, work]) => [name, unary(work)])),
    SubscribeMessages: subscribe,
  });
  const health = new HealthImplementation({ '': 'SERVING', UserTable: 'SERVING' });
  health.addToServer(server);
  new ReflectionService(description).addToServer(server);
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());

  const accept: Parameters<typeof openDoor>[0] = async (plain, { peer, source = peer, change }) => {
    plain.on('error', () => {});
    try {
      const stream = (await change?.(plain)) ?? plain;
      // HTTP/2 has no half that goes on.
      stream.allowHalfOpen = false;
      const channel: Channel = { peer: peerOf(stream), source, dialogue: undefined };
      channels.set(channel.peer, channel);
      stream.once('close', () => {
        channels.delete(channel.peer);
        if (channel.dialogue !== undefined) logins.release(channel.dialogue);
      });
      stream.on('error', () => {});
      injector.injectConnection(stream);
    } catch {
      plain.destroy();
      observer?.dropped?.('tls');
    }
  };
  const { host, port, proxies, tls } = options;
  const door = await openDoor(accept, { host, port, proxies, tls: tls?.speaking('h2'), observer });
  return {
    address: door.address,
    port: door.port,
    async close(): Promise<void> {
      const closed = door.close();
      for (const name of ['', 'UserTable']) health.setStatus(name, 'NOT_SERVING');
      for (const dialogue of dialogues) if (dialogue.isSubscribed) dialogue.leave();
      injector.drain(GRACE);
      await closed;
      for (const dialogue of dialogues) dialogue.leave();
      server.forceShutdown();
    },
  };
}

const credentials = ({ request: { username, password } }: Call) => ({ username, password });

/** As a call has it. */
const peerOf = (stream: object) =>
  `${Reflect.get(stream, 'remoteAddress')}:${Reflect.get(stream, 'remotePort')}`;
