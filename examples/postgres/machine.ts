import { setup } from 'xstate';
import type { frames } from './frames.ts';

type Event = `transport.${'accept' | 'end' | 'timeout'}` | keyof typeof frames;
type Edges = Readonly<Record<string, string>>;
const by = (who: 'client' | 'server', on: Edges) =>
  Object.fromEntries(Object.entries(on).map(([name, next]) => [`${who}.${name}`, next]));
const all = (names: string, next: string) => Object.fromEntries(names.split(' ').map((name) => [name, next]));
/** States under their names; in each the server may say what `told` names, at any moment. */
const states = (told: string, turns: Readonly<Record<string, ReturnType<typeof turn>>>) =>
  Object.fromEntries(
    Object.entries(turns).map(([here, state]) => [here, state(by('server', all(told, here)))]),
  );
const turn = (tags: 'client' | 'server', on: Edges) => (told: Edges) => ({ tags, on: { ...told, ...on } });
const server = (on: Edges) => turn('server', by('server', on));
/** A server that ends may say why, also where it is not its turn. */
const ends = { ERROR: '#postgres.closed' };
const client = (on: Edges, push: Edges = ends) =>
  turn('client', { ...by('client', on), ...by('server', push) });

const begins = { STARTUP: '#postgres.authenticating', CANCEL: '#postgres.closed' };
const starting = states('NOTICE', {
  fresh: client({ ...begins, SSL_REQUEST: 'negotiating' }),
  ...{ negotiating: server({ ENCRYPTION: 'agreed', ...ends }), agreed: client(begins) },
});
const grants = { AUTHENTICATED: 'granted', ...ends };
const authenticating = states('NOTICE', {
  judging: server({ ...grants, ...all('ASK_PASSWORD ASK_MD5', 'password'), ASK_SASL: 'sasl' }),
  ...{ password: client({ PASSWORD: 'proving' }), proving: server(grants) },
  sasl: client({ PASSWORD: 'challenging' }),
  challenging: server({ SASL_CONTINUE: 'sasl', SASL_FINAL: 'proving', ...ends }),
  granted: server({ ...all('PARAMETER KEY', 'granted'), READY: '#postgres.open', ...ends }),
});
const COMMANDS = 'QUERY PARSE BIND DESCRIBE_STATEMENT DESCRIBE_PORTAL EXECUTE CLOSE';
/** Dropped where nothing is copied: an error may have ended that. */
const DROPPED = 'COPY_DATA COPY_DONE COPY_FAIL FLUSH';
const ANY_TIME = 'NOTICE PARAMETER NOTIFICATION';
const leaves = { TERMINATE: '#postgres.closed' };
const copied = { ...all('COPY_DATA FLUSH SYNC', 'in'), ...all(`COPY_FAIL ${COMMANDS}`, 'failing') };
const copying = (COMPLETE: string, ERROR: string) => ({
  initial: 'in',
  states: states(ANY_TIME, {
    in: client({ ...copied, COPY_DONE: 'ending', ...leaves }, { ERROR }),
    out: server({ COPY_DATA: 'out', COPY_DONE: 'ending', ERROR }),
    ...{ ending: server({ COMPLETE, ERROR }), failing: server({ ERROR }) },
  }),
});
const simple = copying('#postgres.open.more', '#postgres.open.finishing');
const extended = copying('#postgres.open.ready', '#postgres.open.skipping');
/** After an error a READY follows, or, in an extended query, nothing is read up to a SYNC. */
const [fails, skips] = [{ ERROR: 'finishing' }, { ERROR: 'skipping' }];
const copies = (how: string) => ({ COPY_IN: `${how}.in`, COPY_OUT: `${how}.out` });
const results = { ROW_DESCRIPTION: 'rows', COMPLETE: 'more', ...copies('simple'), ...fails };
const runs = { PARSE: 'parsing', BIND: 'binding', EXECUTE: 'executing', CLOSE: 'closing', SYNC: 'syncing' };
const asks = { DESCRIBE_STATEMENT: 'explaining', DESCRIBE_PORTAL: 'describing' };
const rows = { DATA_ROW: 'executing', ...all('COMPLETE EMPTY SUSPENDED', 'ready') };
const open = states(ANY_TIME, {
  ready: client({ QUERY: 'querying', ...runs, ...asks, ...all(DROPPED, 'ready'), ...leaves }),
  ...{ querying: server({ ...results, EMPTY: 'finishing' }), more: server({ ...results, READY: 'ready' }) },
  rows: server({ DATA_ROW: 'rows', COMPLETE: 'more', ...fails }),
  ...{ syncing: server({ READY: 'ready', ...fails }), finishing: server({ READY: 'ready', ...ends }) },
  ...{ parsing: server({ PARSED: 'ready', ...skips }), binding: server({ BOUND: 'ready', ...skips }) },
  explaining: server({ PARAMETERS: 'describing', ...skips }),
  describing: server({ ...all('ROW_DESCRIPTION NO_DATA', 'ready'), ...skips }),
  executing: server({ ...rows, ...copies('extended'), ...skips }),
  closing: server({ CLOSED: 'ready', ...skips }),
  skipping: client({ ...all(`${COMMANDS} ${DROPPED}`, 'skipping'), SYNC: 'finishing', ...leaves }),
});

export const postgresMachine = setup({
  types: { events: {} as { type: Event }, tags: {} as 'client' | 'server' | 'handshake' },
}).createMachine({
  id: 'postgres',
  description: 'PostgreSQL 3: simple and extended queries, and copying.',
  initial: 'connecting',
  on: { 'transport.end': '.closed', 'transport.timeout': '.closed' },
  states: {
    connecting: { on: { 'transport.accept': 'starting' } },
    starting: { tags: 'handshake', initial: 'fresh', states: starting },
    authenticating: { tags: 'handshake', initial: 'judging', states: authenticating },
    open: { initial: 'ready', states: { ...open, simple, extended } },
    closed: { type: 'final' },
  },
});
