import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { accountChat } from '../../src/protocols/account-chat/protocol.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { type Running, run, serve } from '../support/wirechart.ts';
import { CLOSE, Client, frame, MESSAGE, NAME, PASSWORD, secrets } from './watched-server.ts';

function reader({ stdout }: Running) {
  const [, base] = /metrics at (http:\S+)/.exec(stdout) ?? [];
  return async (path: string) => {
    const answer = await fetch(`${base}${path}`);
    return { status: answer.status, text: await answer.text() };
  };
}

async function start(protocol: string, ...args: string[]) {
  const cwd = await temporaryDirectory();
  const server = await serve(protocol, ['--metrics', '0', ...args], { cwd });
  const read = reader(server);
  /** Of one series, by its name and labels as they are written. */
  const value = async (series: string): Promise<number> => {
    const { text } = await read('/metrics');
    const line = text.split('\n').find((each) => each.startsWith(`${series} `));
    if (line === undefined) throw new Error(`no ${series} in\n${text}`);
    return Number(line.slice(series.length));
  };
  return { server, port: server.port, cwd, read, value };
}

describe('metrics of message-log', () => {
  test('count connections by state, messages, transactions, refusals and the log', async () => {
    const { port, value, read } = await start('message-log');
    const [named, writing] = [await Client.connect(port), await Client.connect(port)];
    await named.ask(NAME);
    await writing.ask(NAME, PASSWORD, MESSAGE, MESSAGE);
    const cheat = await Client.connect(port);
    await cheat.ask(MESSAGE);
    await cheat.leave();
    const wrong = await Client.connect(port);
    await wrong.ask(NAME, frame(2, 'B-is-even'));
    await wrong.leave();
    const noise = await Client.connect(port);
    await noise.ask(Buffer.from('zzz').subarray(0, 1));
    await noise.leave();

    expect(await value('wirechart_connections{protocol="message-log",state="P"}')).toBe(1);
    expect(await value('wirechart_connections{protocol="message-log",state="M"}')).toBe(1);
    expect(await value('wirechart_connections{protocol="message-log",state="N"}')).toBe(0);
    expect(await value('wirechart_connections_opened_total{protocol="message-log"}')).toBe(5);
    expect(await value('wirechart_connections_ended_total{protocol="message-log",cause="refused"}')).toBe(2);
    const messages = 'wirechart_messages_total{protocol="message-log"';
    expect(await value(`${messages},sender="client",message="MESSAGE"}`)).toBe(2);
    const transactions = 'wirechart_transactions_total{protocol="message-log"';
    expect(await value(`${transactions},message="NAME",outcome="ACCEPT"}`)).toBe(3);
    expect(await value(`${transactions},message="PASSWORD",outcome="ACCEPT"}`)).toBe(1);
    expect(await value(`${transactions},message="PASSWORD",outcome="REJECT"}`)).toBe(1);
    expect(await value(`${transactions},message="MESSAGE",outcome="ACCEPT"}`)).toBe(2);
    const refusals = 'wirechart_refusals_total{protocol="message-log"';
    expect(await value(`${refusals},kind="violation",state="N",message="MESSAGE"}`)).toBe(1);
    expect(await value(`${refusals},kind="unreadable",state="N",message=""}`)).toBe(1);
    const sent = 1 + 4 + 1 + 2 + 1;
    expect(await value('wirechart_sent_bytes_total{protocol="message-log"}')).toBe(sent);
    const received = [NAME, NAME, PASSWORD, MESSAGE, MESSAGE, MESSAGE, NAME, frame(2, 'B-is-even')];
    expect(await value('wirechart_received_bytes_total{protocol="message-log"}')).toBe(
      Buffer.concat(received).length + 1,
    );
    expect(await value('wirechart_log_bytes_total')).toBe(
      2 * `[${secrets.name}]: ${secrets.message}\r\n`.length,
    );
    expect(await value('wirechart_log_sync_records_sum')).toBe(2);
    expect(await value('wirechart_log_sync_seconds_count')).toBeGreaterThan(0);

    const { text } = await read('/metrics');
    for (const secret of Object.values(secrets)) expect(text).not.toContain(secret);
  });

  test.skipIf(process.platform === 'win32')(
    'a log that cannot be written makes it unready, not dead',
    async () => {
      const cwd = await temporaryDirectory();
      // Not one byte may be written to a file.
      const server = await serve('message-log', ['--metrics', '0'], { cwd, shell: 'ulimit -f 0' });
      const read = reader(server);
      expect(await read('/readyz')).toEqual({ status: 200, text: 'ready\n' });
      const client = await Client.connect(server.port);
      await client.ask(NAME, PASSWORD, MESSAGE);
      expect(await read('/readyz')).toMatchObject({ status: 503, text: expect.stringContaining('EFBIG') });
      expect(await read('/healthz')).toEqual({ status: 200, text: 'ok\n' });
    },
  );

  test('the dashboard asks for nothing that there is not', async () => {
    const { read } = await start('message-log');
    const dashboard = await readFile(new URL('../../docs/grafana/wirechart.json', import.meta.url), 'utf8');
    const asked = new Set(dashboard.match(/\b(?:wirechart|nodejs|process)_[a-z_\d]+/g));
    const { text } = await read('/metrics');
    const there = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(asked.size).toBeGreaterThan(10);
    for (const name of asked) expect(there).toContain(name.replace(/_bucket$/, ''));
  });

  test('there is nothing else', async () => {
    const { read } = await start('message-log');
    expect((await read('/')).status).toBe(404);
  });
});

test('requests that lead to the same state are told apart too', async () => {
  const { port, value } = await start('account-chat');
  const { messages } = accountChat.samples('metrics');
  const socket = connect({ port, host: '127.0.0.1' });
  for (const id of ['REG', 'LOG']) {
    const { message } = messages[id] ?? {};
    if (message !== undefined) socket.write(accountChat.encode(message).bytes);
    await once(socket, 'data');
  }
  socket.destroy();
  const transactions = 'wirechart_transactions_total{protocol="account-chat"';
  expect(await value(`${transactions},message="REG",outcome="SUC"}`)).toBe(1);
  expect(await value(`${transactions},message="LOG",outcome="ERR"}`)).toBe(1);
});

test('an address that is taken fails with one line, and the server does not start', async () => {
  const running = await start('message-log', '--inspect', '0');
  const [, port] = /live page at http:\S+:(\d+)/.exec(running.server.stdout) ?? [];
  const cwd = join(running.cwd, 'other');
  await mkdir(cwd);
  for (const flag of ['--inspect', '--metrics']) {
    const args = ['serve', 'message-log', '0', '--host', '127.0.0.1', flag, `127.0.0.1:${port}`];
    const { status, stderr } = await run(args, { cwd });
    expect(status).toBe(1);
    expect(stderr).toBe(
      `wirechart: 127.0.0.1:${port} is taken: stop the program that listens there, or choose another port\n`,
    );
  }
});

test('a stopping server is done with those who watch too', async () => {
  const { server: running, port, read } = await start('message-log', '--inspect', '0');
  const [, page] = /live page at (http:\S+)/.exec(running.stdout) ?? [];
  const watching = await fetch(`${page}/live`);
  const client = await Client.connect(port);
  await client.ask(NAME, PASSWORD, MESSAGE, CLOSE);
  expect(await read('/readyz')).toMatchObject({ status: 200 });
  const { status } = await running.stop();
  expect(status).toBe(0);
  await expect(watching.text()).rejects.toThrow();
});
