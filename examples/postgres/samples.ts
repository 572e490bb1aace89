import type { Samples } from 'wirechart';
import { COPY_IN, COPY_OUT, ECHO, NUMBERS } from './canned.ts';
import type { frames } from './frames.ts';

const text = (value: string) => new TextEncoder().encode(value);
const parse = (query: string) => ({ type: 'client.PARSE', statement: '', query, types: [] }) as const;
const bind = (...values: readonly Uint8Array[]) =>
  ({ type: 'client.BIND', portal: '', statement: '', formats: [], values, results: [] }) as const;
const execute = (rows: number) => ({ type: 'client.EXECUTE', portal: '', rows }) as const;
const row = (value: string) => ({ type: 'server.DATA_ROW', values: [text(value)] }) as const;
const complete = (tag: string) => ({ type: 'server.COMPLETE', tag }) as const;
const ready = { type: 'server.READY', status: 'idle' } as const;

/** A server may keep what it answers to an extended query until it is asked for it. */
const follows = [{ type: 'client.FLUSH' }] as const;
const [PARSED, BOUND] = ['server.PARSED', 'server.BOUND'] as const;
/** In a copy every other command is an error that ends it; in `skipping` nothing is answered. */
const copying = { 'open.simple.in': 'server.ERROR', 'open.extended.in': 'server.ERROR' } as const;
const answered = <const A>(answer: A) => ({ ...copying, 'open.ready': answer }) as const;

/** Messages to try a server with. They leave nothing behind. */
export function postgresSamples(unique: string): Samples<typeof frames> {
  const parameters = [
    { name: 'user', value: 'postgres' },
    { name: 'database', value: 'postgres' },
  ];
  const unknown = `none_${unique}`;
  const query = (query: string) => ({ type: 'client.QUERY', query }) as const;
  return {
    messages: {
      SSL_REQUEST: { message: { type: 'client.SSL_REQUEST' }, answer: 'server.ENCRYPTION' },
      // Of nobody. It is not answered either way.
      CANCEL: { message: { type: 'client.CANCEL', process: 1, key: 0 } },
      STARTUP: {
        message: { type: 'client.STARTUP', parameters },
        answer: ['server.AUTHENTICATED', 'server.ASK_PASSWORD', 'server.ASK_MD5', 'server.ASK_SASL'],
        pushes: [ready],
      },
      'STARTUP/nobody': { message: { type: 'client.STARTUP', parameters: [] }, answer: 'server.ERROR' },
      PASSWORD: {
        message: { type: 'client.PASSWORD', data: text('sesame\0') },
        answer: ['server.AUTHENTICATED', 'server.ERROR', 'server.SASL_CONTINUE', 'server.SASL_FINAL'],
      },
      QUERY: {
        message: query(NUMBERS),
        answer: answered('server.ROW_DESCRIPTION'),
        pushes: [row('1'), row('2'), row('3'), complete('SELECT 3'), ready],
      },
      'QUERY/empty': { message: query(''), answer: answered('server.EMPTY') },
      'QUERY/wrong': { message: query('SELEC'), answer: answered('server.ERROR') },
      'QUERY/copy-in': { message: query(COPY_IN), answer: answered('server.COPY_IN') },
      'QUERY/copy-out': {
        message: query(COPY_OUT),
        answer: answered('server.COPY_OUT'),
        pushes: [
          { type: 'server.COPY_DATA', data: text('first\n') },
          { type: 'server.COPY_DATA', data: text('second\n') },
          ...(['server.COPY_DONE', complete('COPY 2'), ready] as const),
        ],
      },
      PARSE: { message: parse(NUMBERS), follows, answer: answered(PARSED) },
      'PARSE/wrong': { message: parse('SELEC'), answer: answered('server.ERROR') },
      BIND: {
        leads: [parse(ECHO)],
        message: bind(text('hello')),
        follows,
        answer: answered(BOUND),
        pushes: [PARSED],
      },
      'BIND/unknown': {
        message: { ...bind(), statement: unknown },
        answer: answered('server.ERROR'),
      },
      DESCRIBE_STATEMENT: {
        leads: [parse(ECHO)],
        message: { type: 'client.DESCRIBE_STATEMENT', name: '' },
        follows,
        answer: answered({ type: 'server.PARAMETERS', types: [25] }),
        pushes: [PARSED, 'server.ROW_DESCRIPTION'],
      },
      'DESCRIBE_STATEMENT/no-rows': {
        leads: [parse(COPY_IN)],
        message: { type: 'client.DESCRIBE_STATEMENT', name: '' },
        follows,
        answer: answered({ type: 'server.PARAMETERS', types: [] }),
        pushes: [PARSED, 'server.NO_DATA'],
      },
      DESCRIBE_PORTAL: {
        leads: [parse(NUMBERS), bind()],
        message: { type: 'client.DESCRIBE_PORTAL', name: '' },
        follows,
        answer: answered('server.ROW_DESCRIPTION'),
        pushes: [PARSED, BOUND],
      },
      'DESCRIBE_PORTAL/unknown': {
        message: { type: 'client.DESCRIBE_PORTAL', name: unknown },
        answer: answered('server.ERROR'),
      },
      EXECUTE: {
        leads: [parse(ECHO), bind(text('hello'))],
        message: execute(0),
        follows,
        answer: answered(complete('SELECT 1')),
        pushes: [PARSED, BOUND, row('hello')],
      },
      'EXECUTE/two-rows': {
        leads: [parse(NUMBERS), bind()],
        message: execute(2),
        follows,
        answer: answered('server.SUSPENDED'),
        pushes: [PARSED, BOUND, row('1'), row('2')],
      },
      'EXECUTE/copy-in': {
        leads: [parse(COPY_IN), bind()],
        message: execute(0),
        follows,
        answer: answered('server.COPY_IN'),
        pushes: [PARSED, BOUND],
      },
      'EXECUTE/copy-out': {
        leads: [parse(COPY_OUT), bind()],
        message: execute(0),
        follows,
        answer: answered('server.COPY_OUT'),
        pushes: [
          ...([PARSED, BOUND] as const),
          { type: 'server.COPY_DATA', data: text('first\n') },
          { type: 'server.COPY_DATA', data: text('second\n') },
          ...(['server.COPY_DONE', complete('COPY 2')] as const),
        ],
      },
      'EXECUTE/unknown': {
        message: { ...execute(0), portal: unknown },
        answer: answered('server.ERROR'),
      },
      CLOSE: {
        message: { type: 'client.CLOSE', target: 'portal', name: unknown },
        follows,
        answer: answered('server.CLOSED'),
      },
      SYNC: {
        message: { type: 'client.SYNC' },
        answer: { 'open.ready': ready, 'open.skipping': ready },
      },
      FLUSH: { message: { type: 'client.FLUSH' } },
      COPY_DATA: { message: { type: 'client.COPY_DATA', data: text('line\n') } },
      COPY_DONE: {
        message: { type: 'client.COPY_DONE' },
        follows,
        answer: { 'open.simple.in': complete('COPY 0'), 'open.extended.in': complete('COPY 0') },
        pushes: [ready],
      },
      COPY_FAIL: {
        message: { type: 'client.COPY_FAIL', reason: 'why not' },
        answer: copying,
      },
      TERMINATE: { message: { type: 'client.TERMINATE' } },
    },
    malformed: {},
    sociable: false,
  };
}
