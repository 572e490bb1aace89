import * as f from 'wirechart/fields';

const fixed = (text: string) => f.is(f.text(text.length), text);
const counted = f.text(f.decimal({ min: 0, max: 65_536 }), { encoding: 'latin1' });
const bulk = f.enclosed(counted, { behind: '\r\n' });
const list = f.list(f.decimal({ min: 0, max: 128 }), f.enclosed(bulk, { before: '$' }));
const array = f.enclosed(f.nullable(list, '-1\r\n'), { before: '*' });
const inline = f.text(f.until('\n'), { encoding: 'latin1' });
/** Quotes, escapes in them, and NUL make other words of a line for Redis than for others. */
const PLAIN = /^[\t !#-&(-~\x80-\xff]*\r?$/;

/** Words: an array of bulk strings, or a line with spaces between them. It is written as an array. */
const words: f.Field<readonly string[]> = {
  ...{ says: 'an array of bulk strings, or a line', carries: 'other', minimum: 1, maximum: array.maximum },
  read(cursor) {
    if (!cursor.has(1)) return undefined;
    if (cursor.bytes[cursor.at] !== 0x2a) {
      const { at } = cursor;
      const line = inline.read(cursor);
      if (line !== undefined && !PLAIN.test(line))
        cursor.refuse('value', at, 'a line without quotes and control characters', 'one of them');
      return line?.split(/[\t\r ]+/).filter(Boolean);
    }
    const read = array.read(cursor);
    return read === null ? [] : read;
  },
  size: array.size,
  write: array.write,
};

/** Words of which the first is this one, in capitals or not. */
function verb(...names: readonly string[]) {
  const holds = ([first]: readonly string[]) => first?.toUpperCase() === names[0];
  return f.such(words, { kind: 'equals', says: `is ${names}`, with: names, holds }, names);
}
const verbs = <const N extends string>(...names: readonly N[]) =>
  Object.fromEntries(names.map((name) => [`client.${name}`, f.frame({ words: verb(name) })])) as {
    readonly [K in `client.${N}`]: f.Frame<{ words: readonly string[] }>;
  };

/** What an array may hold. */
export type Value =
  | { readonly kind: 'simple' | 'error'; readonly text: string }
  | { readonly kind: 'integer'; readonly number: number }
  | { readonly kind: 'bulk'; readonly content: string | null }
  | { readonly kind: 'array'; readonly items: readonly Value[] | null };
const content = f.nullable(bulk, '-1\r\n');
const items = (value: f.Field<Value>) =>
  f.nullable(f.list(f.decimal({ min: 0, max: 4096 }), value), '-1\r\n');
const limits = { depth: 16, max: 1_000_000, leaf: { kind: 'integer', number: 0 } } as const;
const value = f.recursive<Value>(limits, (self) =>
  f.record(
    { kind: f.enumeration(f.u8(), { simple: 0x2b, error: 0x2d, integer: 0x3a, bulk: 0x24, array: 0x2a }) },
    f.cases('kind', {
      ...{ simple: [{ text: f.line() }], error: [{ text: f.line() }] },
      ...{ integer: [{ number: f.decimal() }], bulk: [{ content }], array: [{ items: items(self) }] },
    }),
  ),
);
const count = f.decimal({ min: 0 });
const [some, none] = [f.such(count, f.above(0), 1), f.such(count, f.equals(0), 0)];
const pushed = (word: string) => fixed(`*3\r\n$${word.length}\r\n${word}\r\n$`);

export const redisFrames = {
  'client.AUTH': f.frame({ words: f.secret(verb('AUTH')) }),
  ...verbs('PING', 'SELECT', 'GET', 'SET', 'DEL', 'INCR', 'PUBLISH', 'QUIT'),
  ...verbs('MULTI', 'EXEC', 'DISCARD', 'WATCH', 'UNWATCH', 'SUBSCRIBE', 'UNSUBSCRIBE'),
  ...{ 'client.BLANK': f.frame({ words: verb() }), 'client.OTHER': f.frame({ words }) },
  'server.SIMPLE': f.frame(fixed('+'), { text: f.line() }),
  'server.ERROR': f.frame(fixed('-'), { text: f.line() }),
  'server.INTEGER': f.frame(fixed(':'), { number: f.decimal() }),
  'server.BULK': f.frame(fixed('$'), { content }),
  'server.ARRAY': f.frame(fixed('*'), { items: items(value) }),
  'server.SUBSCRIBED': f.frame(pushed('subscribe'), { channel: bulk }, fixed(':'), { count }),
  'server.UNSUBSCRIBED': f.frame(pushed('unsubscribe'), { channel: content }, fixed(':'), { count: some }),
  'server.RELEASED': f.frame(pushed('unsubscribe'), { channel: content }, fixed(':'), { count: none }),
  'server.MESSAGE': f.frame(pushed('message'), { channel: bulk }, fixed('$'), { content: bulk }),
  'server.ALIVE': f.frame(fixed('*2\r\n$4\r\npong\r\n$'), { content: bulk }),
};
