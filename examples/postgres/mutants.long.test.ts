import type { ServerMessage } from 'wirechart';
import { bending, testMutants } from '../field-report/mutants.ts';
import { postgresHandlers } from './handlers.ts';
import { postgres } from './protocol.ts';
import { error } from './reports.ts';

const right = { protocol: postgres, handlers: () => postgresHandlers() };
const { saying, hearing, instead, leading, only } = bending(postgres);
type Told = ServerMessage<typeof postgres>;

const again = (word: Told): readonly Told[] => [word, word];
const none = (): readonly Told[] => [];
const refused = error('XX000', 'no');

testMutants(right, {
  'rows come twice': { bent: saying('QUERY', only('server.DATA_ROW', again)) },
  'a row is missing': {
    bent: saying(
      'QUERY',
      only('server.DATA_ROW', (row) => (row.values[0]?.[0] === 0x32 ? [] : [row])),
    ),
  },
  'rows have another content': {
    bent: saying(
      'QUERY',
      only('server.DATA_ROW', (row) => [{ ...row, values: [null] }]),
    ),
  },
  'rows are not described': { bent: saying('QUERY', only('server.ROW_DESCRIPTION', none)) },
  'a query is completed by another tag': {
    bent: saying(
      'QUERY',
      only('server.COMPLETE', (word) => [{ ...word, tag: 'SELECT' }]),
    ),
  },
  'a query is completed twice': { bent: saying('QUERY', only('server.COMPLETE', again)) },
  'READY is said twice': { bent: saying('SYNC', again) },
  'READY says that a transaction is open': {
    bent: saying(
      'SYNC',
      only('server.READY', () => [{ type: 'server.READY', status: 'transaction' }]),
    ),
    rule: /status must be "idle"/,
  },
  'nobody is refused for having no name': {
    bent: hearing('STARTUP', () => ({
      type: 'client.STARTUP',
      parameters: [{ name: 'user', value: 'anybody' }],
    })),
  },
  'a wrong query is an empty one': {
    bent: instead('QUERY', (message, asRight) =>
      asRight(message.query === 'SELEC' ? { ...message, query: '' } : message),
    ),
  },
  'a wrong query is parsed': { bent: instead('PARSE', () => ({ type: 'server.PARSED' })) },
  'PARSED is said twice': { bent: saying('PARSE', only('server.PARSED', again)) },
  'what is unknown is bound': { bent: instead('BIND', () => ({ type: 'server.BOUND' })) },
  'nothing is bound': { bent: instead('BIND', () => refused) },
  'an unknown portal has no rows': {
    bent: saying(
      'DESCRIBE_PORTAL',
      only('server.ERROR', () => [{ type: 'server.NO_DATA' }]),
    ),
  },
  'parameters are not told': {
    bent: saying(
      'DESCRIBE_STATEMENT',
      only('server.PARAMETERS', () => [{ type: 'server.PARAMETERS', types: [] }]),
    ),
  },
  'a copy is said to have rows': {
    bent: saying(
      'DESCRIBE_STATEMENT',
      only('server.NO_DATA', () => [{ type: 'server.ROW_DESCRIPTION', columns: [] }]),
    ),
  },
  'all rows come, whatever was asked for': {
    bent: hearing('EXECUTE', (message) => ({ ...message, rows: 0 })),
  },
  'no row more than one comes': {
    bent: hearing('EXECUTE', (message) => ({ ...message, rows: 1 })),
  },
  'a portal is described when it is run': {
    bent: instead('EXECUTE', async (message, asRight) => {
      const words = await asRight(message);
      return Array.isArray(words) ? [{ type: 'server.ROW_DESCRIPTION', columns: [] }, ...words] : words;
    }),
  },
  'what is bound comes back changed': {
    bent: hearing('BIND', (message) => ({
      ...message,
      values: message.values.map(() => Buffer.from('other')),
    })),
  },
  'an unknown portal cannot be closed': { bent: instead('CLOSE', () => refused) },
  'a copy cannot be given up': {
    bent: instead('COPY_FAIL', () => [{ type: 'server.COMPLETE', tag: 'COPY 0' }]),
  },
  'copied lines come without an end': { bent: saying('QUERY', only('server.COPY_DONE', none)) },
  'a copied line is lost': {
    bent: saying(
      'QUERY',
      only('server.COPY_DATA', (line) => (line.data[0] === 0x66 ? [] : [line])),
    ),
  },
  'a copy counts its lines': {
    bent: saying(
      'COPY_DONE',
      only('server.COMPLETE', () => [{ type: 'server.COMPLETE', tag: 'COPY 1' }]),
    ),
    rule: /tag must be "COPY 0"/,
  },
  'FLUSH ends the connection': { bent: instead('FLUSH', (_, __, session) => session.close()) },
  'what is left of a copy ends the connection': {
    bent: instead('COPY_DATA', (_, __, session) => session.close()),
  },
  'TERMINATE is answered': {
    serves: leading('open.ready', 'client.TERMINATE', 'open.syncing'),
    bent: instead('TERMINATE', () => ({ type: 'server.READY', status: 'idle' })),
  },
  'after an error the next message is read': {
    serves: leading('open.parsing', 'server.ERROR', 'open.ready'),
    bent: saying('PARSE', (word) => [word]),
  },
  'SYNC ends a copy': {
    serves: leading('open.simple.in', 'client.SYNC', 'open.syncing'),
    bent: instead('SYNC', () => ({ type: 'server.READY', status: 'idle' })),
  },
  'in a copy another command is dropped': {
    serves: leading('open.simple.in', 'client.QUERY', 'open.simple.in'),
    bent: instead('QUERY', (message, asRight, session) =>
      session.stateName === 'open.simple.in' ? undefined : asRight(message),
    ),
  },
  'a CANCEL logs in': {
    serves: leading('starting.agreed', 'client.CANCEL', 'open.syncing'),
    bent: instead('CANCEL', () => ({ type: 'server.READY', status: 'idle' })),
  },
  'what comes at the wrong moment is passed over': {
    serves: { ...postgres, violation: { closes: false } },
  },
  'a row too many, of another content': {
    bent: saying(
      'QUERY',
      only('server.DATA_ROW', (row) => [row, { ...row, values: [null] }]),
    ),
    invisible: 'how many rows there are the machine does not say: what is not asked for is passed over',
  },
  'a wrong password is right': {
    bent: instead('PASSWORD', () => refused),
    invisible: 'it takes a server that asks for one; the states of passwords are named as never entered',
  },
  'a query cannot be cancelled': {
    bent: instead('CANCEL', () => undefined),
    invisible: 'it takes another connection whose query runs; a CANCEL is never answered',
  },
  'portals outlive SYNC': {
    bent: instead('SYNC', (_, __, session) =>
      session.stateName.endsWith('.in') ? undefined : { type: 'server.READY', status: 'idle' },
    ),
    invisible: 'that a portal is there is not checked, and the README says so',
  },
});
