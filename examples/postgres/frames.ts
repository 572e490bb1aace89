import * as f from 'wirechart/fields';

const { frame, is, list, record, secret, u8, u16be, u32be, within } = f;
/** A message of at most a mebibyte, where PostgreSQL takes a gibibyte. Its length counts itself. */
const whole = [u32be({ max: 2 ** 20 }), { bias: 4 }] as const;
/** What comes before anybody is known has no letter, and is short. */
const early = [u32be({ max: 10_000 }), { bias: 4 }] as const;
const letter = (one: string) => is(u8(), one.charCodeAt(0));
const bare = (one: string) => frame(letter(one), within(...whole));
const [string, named] = [f.text(f.until('\0')), f.text(f.until('\0'), { min: 1 })];
const value = f.nullable(f.bytes(u32be({ max: 2 ** 20 })), Uint8Array.of(255, 255, 255, 255));
const format = u16be({ max: 1 });
const typed = { attribute: u16be(), dataType: u32be(), size: f.i16be(), modifier: f.i32be(), format };
const columns = list('u16be', record({ name: string, table: u32be(), ...typed }));
const [formats, types, values] = [list('u16be', format), list('u16be', u32be()), list('u16be', value)];
const target = f.enumeration(u8(), { statement: 0x53, portal: 0x50 });
const status = f.enumeration(u8(), { idle: 0x49, transaction: 0x54, failed: 0x45 });
const key = { process: u32be(), key: secret(u32be()) };
const parameters = list(f.until('\0'), record({ name: named, value: string }));
const mechanisms = list(f.until('\0'), named);
const notification = { process: u32be(), channel: string, payload: string };
const report = { report: list(f.until('\0'), record({ field: u8({ min: 1 }), value: string })) };
const copying = { format: u8({ max: 1 }), formats };
const [data, hidden] = [{ data: f.bytes('rest') }, { data: secret(f.bytes('rest')) }];
const bound = { formats, values, results: formats };

/** PostgreSQL 3 on the wire. */
export const frames = {
  'client.SSL_REQUEST': frame(within(...early, is(u32be(), 80_877_103))),
  'client.CANCEL': frame(within(...early, is(u32be(), 80_877_102), key)),
  'client.STARTUP': frame(within(...early, is(u32be(), 196_608), { parameters })),
  'client.PASSWORD': frame(letter('p'), within(...whole, hidden)),
  'client.QUERY': frame(letter('Q'), within(...whole, { query: string })),
  'client.PARSE': frame(letter('P'), within(...whole, { statement: string, query: string, types })),
  'client.BIND': frame(letter('B'), within(...whole, { portal: string, statement: string, ...bound })),
  'client.DESCRIBE_STATEMENT': frame(letter('D'), within(...whole, letter('S'), { name: string })),
  'client.DESCRIBE_PORTAL': frame(letter('D'), within(...whole, letter('P'), { name: string })),
  'client.EXECUTE': frame(letter('E'), within(...whole, { portal: string, rows: u32be() })),
  'client.CLOSE': frame(letter('C'), within(...whole, { target, name: string })),
  ...{ 'client.SYNC': bare('S'), 'client.FLUSH': bare('H'), 'client.TERMINATE': bare('X') },
  'client.COPY_DATA': frame(letter('d'), within(...whole, data)),
  'client.COPY_FAIL': frame(letter('f'), within(...whole, { reason: string })),
  'server.ENCRYPTION': frame({ encryption: f.enumeration(u8(), { tls: 0x53, none: 0x4e }) }),
  'server.AUTHENTICATED': frame(letter('R'), within(...whole, is(u32be(), 0))),
  'server.ASK_PASSWORD': frame(letter('R'), within(...whole, is(u32be(), 3))),
  'server.ASK_MD5': frame(letter('R'), within(...whole, is(u32be(), 5), { salt: f.bytes(4) })),
  'server.ASK_SASL': frame(letter('R'), within(...whole, is(u32be(), 10), { mechanisms })),
  'server.SASL_CONTINUE': frame(letter('R'), within(...whole, is(u32be(), 11), hidden)),
  'server.SASL_FINAL': frame(letter('R'), within(...whole, is(u32be(), 12), hidden)),
  'server.PARAMETER': frame(letter('S'), within(...whole, { name: string, value: string })),
  'server.KEY': frame(letter('K'), within(...whole, key)),
  'server.READY': frame(letter('Z'), within(...whole, { status })),
  'server.ROW_DESCRIPTION': frame(letter('T'), within(...whole, { columns })),
  'server.DATA_ROW': frame(letter('D'), within(...whole, { values })),
  'server.COMPLETE': frame(letter('C'), within(...whole, { tag: string })),
  'server.ERROR': frame(letter('E'), within(...whole, report)),
  'server.NOTICE': frame(letter('N'), within(...whole, report)),
  'server.NOTIFICATION': frame(letter('A'), within(...whole, notification)),
  ...{ 'server.PARSED': bare('1'), 'server.BOUND': bare('2'), 'server.CLOSED': bare('3') },
  ...{ 'server.EMPTY': bare('I'), 'server.NO_DATA': bare('n'), 'server.SUSPENDED': bare('s') },
  ...{ 'client.COPY_DONE': bare('c'), 'server.COPY_DONE': bare('c') },
  'server.PARAMETERS': frame(letter('t'), within(...whole, { types })),
  'server.COPY_IN': frame(letter('G'), within(...whole, copying)),
  'server.COPY_OUT': frame(letter('H'), within(...whole, copying)),
  'server.COPY_DATA': frame(letter('d'), within(...whole, data)),
};
