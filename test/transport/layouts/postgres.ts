import {
  bytes,
  cases,
  enumeration,
  type Field,
  type Frame,
  frame,
  i16be,
  i32be,
  is,
  list,
  nullable,
  record,
  secret,
  text,
  u8,
  u16be,
  u32be,
  until,
  within,
} from '../../../src/transport/fields/index.ts';

/** Largest message that is read. */
const length = u32be({ max: 1_000_000 });
/** What is longer before anybody has logged in is no startup. */
const startupLength = u32be({ max: 10_000 });
const string = text(until('\0'));
const NULL = Uint8Array.of(255, 255, 255, 255);
const value: Field<Uint8Array | null> = nullable(bytes(u32be({ max: 1_000_000 })), NULL);
const column: Field<string | null> = nullable(text(u32be({ max: 1_000_000 })), NULL);
const formats = list('u16be', u16be({ max: 1 }));
const of = (letter: string) => is(u8(), letter.charCodeAt(0));
const counted = { bias: 4 } as const;
const bare = (letter: string): Frame => frame(of(letter), within(length, counted));
const target = { kind: enumeration(u8(), { statement: 0x53, portal: 0x50 }), name: string };
const report = list(until('\0'), record({ field: u8({ min: 1 }), value: string }));

/** PostgreSQL 3, simple and extended queries. The first packets have no letter: they are readable in a state of their own. */
export const postgres = {
  startup: {
    STARTUP: frame(
      within(startupLength, counted, is(u32be(), 196_608), {
        parameters: list(until('\0'), record({ name: text(until('\0'), { min: 1 }), value: string })),
      }),
    ),
    SSL: frame(within(startupLength, counted, is(u32be(), 80_877_103))),
    CANCEL: frame(
      within(startupLength, counted, is(u32be(), 80_877_102), { process: u32be(), key: secret(u32be()) }),
    ),
  },
  client: {
    PASSWORD: frame(of('p'), within(length, counted, { password: secret(bytes('rest')) })),
    QUERY: frame(of('Q'), within(length, counted, { query: string })),
    PARSE: frame(
      of('P'),
      within(length, counted, { statement: string, query: string, types: list('u16be', u32be()) }),
    ),
    BIND: frame(
      of('B'),
      within(length, counted, {
        portal: string,
        statement: string,
        formats,
        values: list('u16be', value),
        results: formats,
      }),
    ),
    DESCRIBE: frame(of('D'), within(length, counted, target)),
    CLOSE: frame(of('C'), within(length, counted, target)),
    EXECUTE: frame(of('E'), within(length, counted, { portal: string, rows: u32be() })),
    SYNC: bare('S'),
    FLUSH: bare('H'),
    TERMINATE: bare('X'),
  },
  server: {
    AUTHENTICATION: frame(
      of('R'),
      within(
        length,
        counted,
        { method: u32be() },
        cases('method', {
          0: [],
          3: [],
          5: [{ salt: bytes(4) }],
          10: [{ mechanisms: list(until('\0'), text(until('\0'), { min: 1 })) }],
          11: [{ challenge: secret(bytes('rest')) }],
          12: [{ outcome: secret(bytes('rest')) }],
        }),
      ),
    ),
    KEY: frame(of('K'), within(length, counted, { process: u32be(), key: secret(u32be()) })),
    PARAMETER: frame(of('S'), within(length, counted, { name: string, value: string })),
    READY: frame(
      of('Z'),
      within(length, counted, { status: enumeration(u8(), { idle: 0x49, transaction: 0x54, failed: 0x45 }) }),
    ),
    ROW_DESCRIPTION: frame(
      of('T'),
      within(length, counted, {
        columns: list(
          'u16be',
          record({
            name: string,
            table: u32be(),
            attribute: i16be(),
            dataType: u32be(),
            size: i16be(),
            modifier: i32be(),
            format: u16be({ max: 1 }),
          }),
        ),
      }),
    ),
    DATA_ROW: frame(of('D'), within(length, counted, { columns: list('u16be', column) })),
    COMPLETE: frame(of('C'), within(length, counted, { tag: string })),
    PARAMETERS: frame(of('t'), within(length, counted, { types: list('u16be', u32be()) })),
    NOTIFICATION: frame(
      of('A'),
      within(length, counted, { process: u32be(), channel: string, payload: string }),
    ),
    ERROR: frame(of('E'), within(length, counted, { report })),
    NOTICE: frame(of('N'), within(length, counted, { report })),
    EMPTY: bare('I'),
    PARSED: bare('1'),
    BOUND: bare('2'),
    CLOSED: bare('3'),
    NO_DATA: bare('n'),
    SUSPENDED: bare('s'),
  },
};
