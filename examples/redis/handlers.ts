import type { MakeHandlers, ServerMessage, Session } from 'wirechart';
import type { Value } from './frames.ts';
import type { redis } from './protocol.ts';

type Frames = typeof redis.frames;
type Words = { readonly words: readonly string[] };
type Reply = Extract<
  ServerMessage<typeof redis>,
  { type: `server.${'SIMPLE' | 'ERROR' | 'INTEGER' | 'BULK' | 'ARRAY'}` }
>;
type Subscriber = Session<Frames>;

const simple = (text: string) => ({ type: 'server.SIMPLE', text }) as const;
const error = (text: string) => ({ type: 'server.ERROR', text: `ERR ${text}` }) as const;
const number = (value: number) => ({ type: 'server.INTEGER', number: value }) as const;
const bulk = (content: string | null) => ({ type: 'server.BULK', content }) as const;
const OK = simple('OK');
const wrongCount = ([name]: readonly string[]) => error(`wrong number of arguments for '${name}' command`);

/** Which numbers of arguments a command has, its name aside: at least, at most. */
const ARGUMENTS: Readonly<Record<string, readonly [number, number]>> = {
  ...{ AUTH: [1, 1], PING: [0, 1], SELECT: [1, 1], GET: [1, 1], SET: [2, 2], DEL: [1, 127], INCR: [1, 1] },
  ...{ WATCH: [1, 127], UNWATCH: [0, 0], PUBLISH: [2, 2], SUBSCRIBE: [1, 127], INFO: [0, 127] },
  ...{ MULTI: [0, 0], EXEC: [0, 0], DISCARD: [0, 0] },
};
const isWrong = ([name = '', ...given]: readonly string[]) => {
  const [least, most] = ARGUMENTS[name.toUpperCase()] ?? [0, 127];
  return given.length < least || given.length > most;
};

/** A value as it stands in an array. */
function asValue({ type, ...rest }: Reply): Value {
  if ('text' in rest) return { kind: type === 'server.ERROR' ? 'error' : 'simple', text: rest.text };
  if ('number' in rest) return { kind: 'integer', number: rest.number };
  if ('content' in rest) return { kind: 'bulk', content: rest.content };
  return { kind: 'array', items: rest.items };
}

/** A database of strings for all who know the password, in memory. */
export function redisHandlers(password: string): MakeHandlers<Frames> {
  const databases = Array.from({ length: 16 }, () => new Map<string, string>());
  /** Counts the changes of a key: what WATCH compares. */
  const changes = new Map<string, number>();
  const subscribers = new Map<string, Set<Subscriber>>();

  return (session) => {
    let database = 0;
    let queue: (readonly string[])[] | undefined;
    const watched = new Map<string, number>();
    const channels = new Set<string>();

    const keyOf = (name: string) => `${database} ${name}`;
    const strings = () => databases[database] ?? new Map<string, string>();
    const changed = (name: string) => changes.set(keyOf(name), (changes.get(keyOf(name)) ?? 0) + 1);
    const store = (name: string, value: string) => {
      strings().set(name, value);
      changed(name);
    };
    const remove = (name: string) => strings().delete(name) && changed(name) !== undefined;

    function run([name = '', first = '', second = '', ...more]: readonly string[]): Reply {
      switch (name.toUpperCase()) {
        case 'AUTH':
          return first === password ? OK : { type: 'server.ERROR', text: 'WRONGPASS invalid password' };
        case 'PING':
          return first === '' ? simple('PONG') : bulk(first);
        case 'SELECT':
          if (!/^\d+$/.test(first) || Number(first) >= databases.length)
            return error('DB index is out of range');
          database = Number(first);
          return OK;
        case 'GET':
          return bulk(strings().get(first) ?? null);
        case 'SET':
          store(first, second);
          return OK;
        case 'DEL':
          return number([first, second, ...more].filter((key) => remove(key)).length);
        case 'INCR': {
          const next = Number(strings().get(first) ?? '0') + 1;
          if (!Number.isSafeInteger(next)) return error('value is not an integer or out of range');
          store(first, `${next}`);
          return number(next);
        }
        case 'UNWATCH':
          watched.clear();
          return OK;
        case 'PUBLISH': {
          const message = { type: 'server.MESSAGE', channel: first, content: second } as const;
          return number([...(subscribers.get(first) ?? [])].filter((one) => one.push(message)).length);
        }
        case 'INFO':
          return bulk('# Server\r\nredis_version:7.0.0\r\nloading:0\r\n');
        default:
          return error(`unknown command '${name.slice(0, 128)}'`);
      }
    }

    const isKnown = ([name = '']: readonly string[]) => name.toUpperCase() in ARGUMENTS;
    function plain({ words }: Words): Reply {
      if (isWrong(words)) return wrongCount(words);
      if (queue === undefined || !isKnown(words)) return run(words);
      queue.push(words);
      return queue.length > 1000 ? error('too many commands') : simple('QUEUED');
    }
    function leave(channel: string) {
      channels.delete(channel);
      subscribers.get(channel)?.delete(session);
      if (subscribers.get(channel)?.size === 0) subscribers.delete(channel);
    }
    const ended = () => {
      for (const channel of channels) leave(channel);
    };

    return {
      ...{ AUTH: plain, SELECT: plain, GET: plain, SET: plain, DEL: plain, INCR: plain },
      ...{ UNWATCH: plain, PUBLISH: plain, OTHER: plain },
      PING: (message) =>
        channels.size === 0 ? plain(message) : { type: 'server.ALIVE', content: message.words[1] ?? '' },
      WATCH({ words }) {
        if (isWrong(words)) return wrongCount(words);
        for (const key of words.slice(1)) watched.set(keyOf(key), changes.get(keyOf(key)) ?? 0);
        return OK;
      },
      MULTI({ words }) {
        if (isWrong(words)) return wrongCount(words);
        queue = [];
        return OK;
      },
      EXEC() {
        const commands = queue ?? [];
        const isSpoilt = session.stateName.startsWith('spoilt');
        const isStale = [...watched].some(([key, seen]) => (changes.get(key) ?? 0) !== seen);
        queue = undefined;
        watched.clear();
        if (isSpoilt) return { type: 'server.ERROR', text: 'EXECABORT Transaction discarded' };
        return { type: 'server.ARRAY', items: isStale ? null : commands.map((words) => asValue(run(words))) };
      },
      DISCARD() {
        queue = undefined;
        watched.clear();
        return OK;
      },
      SUBSCRIBE({ words }) {
        if (isWrong(words)) return wrongCount(words);
        return words.slice(1).map((channel) => {
          channels.add(channel);
          const known = subscribers.get(channel) ?? new Set();
          subscribers.set(channel, known.add(session));
          return { type: 'server.SUBSCRIBED', channel, count: channels.size };
        });
      },
      UNSUBSCRIBE({ words }) {
        const wanted = words.length > 1 ? words.slice(1) : [...channels];
        if (wanted.length === 0) return { type: 'server.RELEASED', channel: null, count: 0 };
        return wanted.map((channel) => {
          leave(channel);
          const count = channels.size;
          return { type: count === 0 ? 'server.RELEASED' : 'server.UNSUBSCRIBED', channel, count };
        });
      },
      QUIT: () => OK,
      BLANK: () => undefined,
      ended,
    };
  };
}
