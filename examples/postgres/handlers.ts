import { randomInt } from 'node:crypto';
import type { Handlers, MakeHandlers, ServerMessage } from 'wirechart';
import { type Canned, cannedFor } from './canned.ts';
import type { postgres } from './protocol.ts';
import { error } from './reports.ts';

type Frames = typeof postgres.frames;
type Word = ServerMessage<typeof postgres>;
type Answer = Word | readonly Word[] | undefined;
interface Portal {
  readonly canned: Canned;
  readonly values: readonly (Uint8Array | null)[];
  /** Rows that were sent. */
  sent: number;
}

/** Statements, or portals, of one session. */
const MOST_KEPT = 1000;
const READY = { type: 'server.READY', status: 'idle' } as const;
const TEXT = { table: 0, attribute: 0, dataType: 25, size: -1, modifier: -1, format: 0 } as const;
const complete = (tag: string) => ({ type: 'server.COMPLETE', tag }) as const;
const parameter = (name: string, value: string) => ({ type: 'server.PARAMETER', name, value }) as const;
const named = (name: string) => ({ name, ...TEXT });
const noAnswer = error('42601', 'this server has five answers, and none to that');
const noStatement = error('26000', 'there is no such statement');
const noPortal = error('34000', 'there is no such portal');
const tooMany = error('53000', `a session keeps ${MOST_KEPT} statements and portals`);

/** A server of five canned answers, for all, or for those who know the password. */
export function postgresHandlers(password?: string): MakeHandlers<Frames> {
  /** How a query is cancelled from elsewhere, by the key that its client was given. */
  const cancels = new Map<string, () => void>();
  let sessions = 0;

  return (session): Handlers<Frames> => {
    const key = { process: ++sessions, key: randomInt(2 ** 32) };
    const statements = new Map<string, Canned>();
    const portals = new Map<string, Portal>();
    let cancel = () => {};

    const granted = (): Answer => {
      cancels.set(`${key.process} ${key.key}`, () => cancel());
      return [
        { type: 'server.AUTHENTICATED' },
        ...[parameter('server_version', '15.0'), parameter('client_encoding', 'UTF8')],
        ...[parameter('standard_conforming_strings', 'on'), { type: 'server.KEY', ...key } as const, READY],
      ];
    };
    const described = ({ columns }: Canned): Word =>
      columns.length === 0
        ? { type: 'server.NO_DATA' }
        : { type: 'server.ROW_DESCRIPTION', columns: columns.map(named) };
    const slept = () =>
      new Promise<boolean>((resolve) => {
        const timer = setTimeout(resolve, 60_000, true);
        cancel = () => {
          clearTimeout(timer);
          resolve(false);
        };
      });
    /** So many rows, all with 0, and what ends them. */
    const run = async (portal: Portal, most: number): Promise<readonly Word[]> => {
      const { canned, values } = portal;
      const rows = canned.rows(values).slice(portal.sent);
      const copying = { format: 0, formats: [0] };
      if (canned.kind === 'in') return [{ type: 'server.COPY_IN', ...copying }];
      if (canned.kind === 'out') {
        const lines = rows.flatMap(([data]) => (data ? [{ type: 'server.COPY_DATA', data } as const] : []));
        const end = [{ type: 'server.COPY_DONE' }, complete(`COPY ${lines.length}`)] as const;
        return [{ type: 'server.COPY_OUT', ...copying }, ...lines, ...end];
      }
      if (canned.kind === 'sleep' && !(await slept())) return [error('57014', 'canceled by its client')];
      const sent = most === 0 ? rows : rows.slice(0, most);
      portal.sent += sent.length;
      const isAll = sent.length === rows.length;
      return [
        ...sent.map((values) => ({ type: 'server.DATA_ROW', values }) as const),
        isAll ? complete(`SELECT ${sent.length}`) : { type: 'server.SUSPENDED' },
      ];
    };
    /** What answers a command, where it is neither dropped nor the end of a copy. */
    const unlessAborted =
      <M>(answer: (message: M) => Answer | Promise<Answer>) =>
      (message: M): Answer | Promise<Answer> => {
        const { stateName } = session;
        if (stateName === 'open.skipping') return undefined;
        if (!stateName.endsWith('.failing')) return answer(message);
        const failed = error('57014', 'the copy was given up');
        return stateName === 'open.simple.failing' ? [failed, READY] : failed;
      };
    const keep = <T>(kept: Map<string, T>, name: string, one: T): boolean =>
      (kept.has(name) || kept.size < MOST_KEPT) && kept.set(name, one) !== undefined;

    return {
      SSL_REQUEST: () => ({ type: 'server.ENCRYPTION', encryption: 'none' }),
      CANCEL({ process, key }) {
        cancels.get(`${process} ${key}`)?.();
        return undefined;
      },
      STARTUP({ parameters }) {
        const isSomebody = parameters.some(({ name, value }) => name === 'user' && value !== '');
        if (!isSomebody) return error('28000', 'no user name', 'FATAL');
        return password === undefined ? granted() : { type: 'server.ASK_PASSWORD' };
      },
      PASSWORD({ data }) {
        const isRight = Buffer.from(data).equals(Buffer.from(`${password}\0`));
        return isRight ? granted() : error('28P01', 'a wrong password', 'FATAL');
      },
      QUERY: unlessAborted(async ({ query }) => {
        if (query.trim() === '') return [{ type: 'server.EMPTY' }, READY];
        const canned = cannedFor(query);
        if (canned === undefined || canned.types.length > 0) return [noAnswer, READY];
        const words = await run({ canned, values: [], sent: 0 }, 0);
        if (canned.kind === 'in') return words;
        return [...(canned.columns.length === 0 ? [] : [described(canned)]), ...words, READY];
      }),
      PARSE: unlessAborted(({ statement, query }) => {
        const canned = cannedFor(query);
        if (canned === undefined) return noAnswer;
        return keep(statements, statement, canned) ? { type: 'server.PARSED' } : tooMany;
      }),
      BIND: unlessAborted(({ portal, statement, values }) => {
        const canned = statements.get(statement);
        if (canned === undefined) return noStatement;
        if (values.length !== canned.types.length) return error('08P01', 'a wrong number of parameters');
        return keep(portals, portal, { canned, values, sent: 0 }) ? { type: 'server.BOUND' } : tooMany;
      }),
      DESCRIBE_STATEMENT: unlessAborted(({ name }) => {
        const canned = statements.get(name);
        if (canned === undefined) return noStatement;
        return [{ type: 'server.PARAMETERS', types: canned.types }, described(canned)];
      }),
      DESCRIBE_PORTAL: unlessAborted(({ name }) => {
        const portal = portals.get(name);
        return portal === undefined ? noPortal : described(portal.canned);
      }),
      EXECUTE: unlessAborted(({ portal, rows }) => {
        const bound = portals.get(portal);
        return bound === undefined ? noPortal : run(bound, rows);
      }),
      CLOSE: unlessAborted(({ target, name }) => {
        if (target === 'statement') statements.delete(name);
        else portals.delete(name);
        return { type: 'server.CLOSED' };
      }),
      SYNC() {
        if (session.stateName.endsWith('.in')) return undefined;
        portals.clear();
        return READY;
      },
      FLUSH: () => undefined,
      COPY_DATA: () => undefined,
      COPY_DONE() {
        const { stateName } = session;
        if (!stateName.endsWith('.ending')) return undefined;
        const done = complete('COPY 0');
        return stateName === 'open.simple.ending' ? [done, READY] : done;
      },
      COPY_FAIL: unlessAborted(() => undefined),
      TERMINATE: () => undefined,
      ended() {
        cancel();
        cancels.delete(`${key.process} ${key.key}`);
      },
    };
  };
}
