import { expect, test, vi } from 'vitest';
import type { MonitorOptions, Route } from '../../src/guard/monitor.ts';
import { MemoryWire } from '../support/memory-wire.ts';

/** A protocol of one copy of this library and what reads it of another, as where a module brings its own. */
async function copies() {
  const { smtp } = await import('../../examples/smtp/protocol.ts');
  vi.resetModules();
  const other = {
    ...(await import('../../src/guard/monitor.ts')),
    ...(await import('../../src/guard/horizon.ts')),
    ...(await import('../../src/transport/connection.ts')),
    ...(await import('../../src/transport/content.ts')),
    ...(await import('../../src/transport/protocol.ts')),
    ...(await import('../../src/transport/session.ts')),
    ...(await import('../../src/verify/reading.ts')),
  };
  const content = smtp.frames['client.CONTENT'].sample(() => 0)['content'];
  expect(content?.constructor).not.toBe(other.Content);
  return { smtp, other };
}

const opening = ['EHLO a\r\n', 'MAIL FROM:<a@x>\r\n', 'RCPT TO:<b@x>\r\n', 'DATA\r\n'];
const mail = 'hello\r\n.\r\n';

test.each<MonitorOptions>([{}, { reportOnly: true }])(
  'a guard of another copy reads content: %j',
  async (options) => {
    const { smtp, other } = await copies();
    let passed = '';
    const told: unknown[] = [];
    const tell = (what: unknown) => void told.push(what);
    const route: Route = {
      toServer: (bytes) => {
        passed += Buffer.from(bytes);
      },
      toClient: tell,
      refused: tell,
      faulted: tell,
      lost: tell,
      upgraded() {
        tell('upgraded');
        return false;
      },
    };
    const monitor = new other.Monitor(smtp, new other.Horizons(smtp.table), route, options);
    monitor.serverSaid(Buffer.from('220 hi\r\n'));
    for (const line of opening) {
      monitor.clientSaid(Buffer.from(line));
      monitor.serverSaid(Buffer.from(line.startsWith('DATA') ? '354 go\r\n' : '250 ok\r\n'));
    }
    monitor.clientSaid(Buffer.from(mail));
    expect(monitor.held).toBe(0);
    if (options.reportOnly !== true) expect(passed).toBe(opening.join('') + mail);
    expect(told).toEqual([]);
  },
);

test('a session of another copy hands content over, and sends what was made ready', async () => {
  const { smtp, other } = await copies();
  const wire = new MemoryWire();
  const failed: unknown[] = [];
  const session = new other.Session(new other.Connection(smtp, 'server'), wire, {
    id: 1,
    peer: 'test',
    observer: { failed: (_, error) => failed.push(error) },
  });
  const say = (type: 'server.OK' | 'server.GO_AHEAD' | 'server.READY' | 'server.BYE', code: number) =>
    smtp.encode({ type, reply: { code, lines: ['said'] } });
  const ok = () => say('server.OK', 250);
  const read: string[] = [];
  session.open((session) => {
    session.push(say('server.READY', 220));
    return {
      ...{ EHLO: ok, HELO: ok, MAIL: ok, RCPT: ok, RSET: ok, NOOP: ok, VRFY: ok, AUTH: ok, RESPONSE: ok },
      ...{ STARTTLS: ok, UNKNOWN: ok, QUIT: () => say('server.BYE', 221) },
      DATA: () => say('server.GO_AHEAD', 354),
      CONTENT: async ({ content }) => {
        for await (const piece of content) read.push(Buffer.from(piece).toString());
        return ok();
      },
    };
  });
  session.receive(Buffer.from(`${opening.join('')}${mail}QUIT\r\n`));
  await wire.until(() => wire.closed);
  expect(failed).toEqual([]);
  expect(read.join('')).toBe('hello\r\n');
  expect(Buffer.concat(wire.written).toString().match(/^\d+/gm)).toEqual([
    '220',
    '250',
    '250',
    '250',
    '354',
    '250',
    '221',
  ]);
});

test('a verifier of another copy reads content to its end', async () => {
  const { smtp, other } = await copies();
  const state = smtp.table.states.indexOf('guest.recipients.content');
  expect(other.readByServer(smtp, state, Buffer.from(mail))).toMatchObject({
    kind: 'message',
    size: mail.length,
  });
  expect(other.readByServer(smtp, state, Buffer.from('hello\r\n'))).toMatchObject({ kind: 'partial' });
});
