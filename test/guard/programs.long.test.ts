/** Other people's clients and servers with a guard between them that enforces: nothing is refused, nothing is strange. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { type FieldServer, freePort } from '../../examples/field-report/server.ts';
import { modbusServers } from '../../examples/modbus/servers.ts';
import { mqttServers } from '../../examples/mqtt/servers.ts';
import { postgresServers } from '../../examples/postgres/servers.ts';
import { redisServers } from '../../examples/redis/servers.ts';
import { smtpServers } from '../../examples/smtp/servers.ts';
import { type Guard, guard } from '../../src/guard/guard.ts';

const run = promisify(execFile);
const isThere = (command: string, ...args: string[]) => {
  const there = spawnSync(command, args).error === undefined;
  if (!there) console.warn(`not tested, since it is not installed: ${command}`);
  return there;
};

interface Guarded extends Guard {
  readonly told: readonly string[];
  readonly dialogues: () => number;
  readonly upstream: number;
}

async function guarded(servers: readonly FieldServer[], name: string): Promise<Guarded> {
  const server = servers.find((each) => each.name === name);
  if (server === undefined) throw new Error(`there is no ${name} in the report`);
  const upstream = await freePort();
  const stop = await server.start(upstream);
  onTestFinished(stop);
  const told: string[] = [];
  let dialogues = 0;
  const running = await guard(server.protocol, {
    host: '127.0.0.1',
    port: 0,
    upstream: { host: '127.0.0.1', port: upstream },
    observer: {
      opened: () => void dialogues++,
      refused: (_, error) => void told.push(`refused: ${error.message}`),
      failed: (_, error) => void told.push(`failed: ${error}`),
    },
    upstreamObserver: {
      faulted: (_, error) => void told.push(`the server: ${error.message}`),
      lost: (_, why) => void told.push(`lost: ${why}`),
      upgraded: () => void told.push('upgraded'),
    },
  });
  onTestFinished(() => running.close());
  return Object.assign(running, { told, dialogues: () => dialogues, upstream });
}

test.skipIf(!isThere('mosquitto_pub', '--help'))('mosquitto_pub and mosquitto_sub to mosquitto', async () => {
  const { port, told } = await guarded(mqttServers, 'mosquitto');
  const topic = ['-h', '127.0.0.1', '-p', `${port}`, '-t', 'a/b'];
  const subscriber = spawn('stdbuf', ['-oL', 'mosquitto_sub', ...topic, '-q', '2', '-C', '30', '-d']);
  let heard = '';
  subscriber.stdout.on('data', (text: Buffer) => {
    heard += text;
  });
  const ended = once(subscriber, 'close');
  await expect.poll(() => heard).toContain('SUBACK');
  for (const qos of ['0', '1', '2']) {
    const publisher = spawn('mosquitto_pub', [...topic, '-q', qos, '-l']);
    publisher.stdin.end(Array.from({ length: 10 }, (_, index) => `message ${qos}.${index}\n`).join(''));
    expect(await once(publisher, 'close')).toEqual([0, null]);
  }
  expect(await ended).toEqual([0, null]);
  expect(heard.match(/^message [012]\.\d$/gm)).toHaveLength(30);
  expect(told).toEqual([]);
});

test.skipIf(!isThere('redis-cli', '--version'))('redis-cli and redis-benchmark to redis-server', async () => {
  const { port, told, upstream } = await guarded(redisServers, 'redis-server');
  const cli = async (...words: string[]) =>
    (await run('redis-cli', ['-p', `${port}`, '--no-auth-warning', '-a', 'sesame', ...words])).stdout.trim();
  expect(await cli('SET', 'a', '1')).toBe('OK');
  expect(await cli('GET', 'a')).toBe('1');
  const child = spawn('redis-cli', ['-p', `${port}`, '--no-auth-warning', '-a', 'sesame']);
  let heard = '';
  child.stdout.on('data', (text: Buffer) => {
    heard += text;
  });
  child.stdin.end('MULTI\nINCR a\nINCR a\nEXEC\n');
  await once(child, 'close');
  expect(heard).toMatch(/OK\nQUEUED\nQUEUED\n2\n3/);
  for (const pipeline of ['1', '16']) {
    const rates = async (to: number) => {
      const words = [
        '-p',
        `${to}`,
        '-a',
        'sesame',
        '-t',
        'ping,set,get,lpush',
        '-n',
        '20000',
        '-P',
        pipeline,
        '-q',
        '--csv',
      ];
      const { stdout } = await run('redis-benchmark', words);
      return [...stdout.matchAll(/^"([^"]+)","([\d.]+)"/gm)].map(
        ([, what, rate]) => `${what} ${Math.round(Number(rate))}`,
      );
    };
    const bare = await rates(upstream);
    const through = await rates(port);
    console.info(
      `redis-benchmark -P ${pipeline}, requests/s: bare ${bare.join(', ')}; guarded ${through.join(', ')}`,
    );
    expect(through.length).toBe(bare.length);
  }
  expect(told).toEqual([]);
});

test.skipIf(!isThere('mbpoll', '-V'))("mbpoll to pymodbus' server", async () => {
  const { port, told } = await guarded(modbusServers, "pymodbus' server");
  const poll = async (...args: readonly string[]) => {
    const { stdout } = await run('mbpoll', ['-m', 'tcp', '-p', `${port}`, '-1', ...args]);
    return [...stdout.matchAll(/^\[\d+\]:\s+(\d+)/gm)].map(([, value]) => Number(value));
  };
  await poll('-t', '4', '-r', '10', '127.0.0.1', '11', '22', '33');
  expect(await poll('-t', '4', '-r', '10', '-c', '3', '127.0.0.1')).toEqual([11, 22, 33]);
  await poll('-t', '0', '-r', '5', '127.0.0.1', '1', '0', '1');
  expect(await poll('-t', '0', '-r', '5', '-c', '3', '127.0.0.1')).toEqual([1, 0, 1]);
  expect(told).toEqual([]);
});

test.skipIf(!isThere('swaks', '--version')).each(['opensmtpd', 'smtp-server'])(
  'swaks to %s',
  async (name) => {
    const server = smtpServers.find((each) => each.name === name);
    if (server?.version() === undefined)
      return console.warn(`not tested, since it is not installed: ${name}`);
    const { port, told } = await guarded(smtpServers, name);
    for (const words of [[], ['--pipeline'], ['--quit-after', 'RCPT']]) {
      const mail = ['--from', 'ann@localhost', '--to', 'bob@localhost', '--body', '.dot\n..\nend'];
      const { stdout } = await run('swaks', ['--server', `127.0.0.1:${port}`, ...mail, ...words]).catch(
        (error) => error,
      );
      expect(stdout).toMatch(/221/);
    }
    expect(told).toEqual([]);
  },
);

test.skipIf(!isThere('psql', '--version'))('psql and pgbench to PostgreSQL', async () => {
  const server = postgresServers.find(({ name }) => name === 'PostgreSQL');
  if (server?.version() === undefined)
    return console.warn('not tested, since it is not installed: PostgreSQL');
  const { port, told, upstream } = await guarded(postgresServers, 'PostgreSQL');
  const to = (at: number) => ['-h', '127.0.0.1', '-p', `${at}`, '-U', 'postgres'];
  const psql = async (...words: string[]) =>
    (await run('psql', ['--no-psqlrc', '-At', ...to(port), ...words])).stdout;
  expect(await psql('-c', 'SELECT 1; SELECT 2')).toBe('1\n2\n');
  expect(await psql('-c', 'COPY (SELECT generate_series(1, 1000)) TO STDOUT')).toMatch(
    /^1\n2\n[\d\n]*1000\n$/,
  );
  const pgbench = async (at: number, ...words: string[]) => {
    const { stdout } = await run('pgbench', [...to(at), ...words, 'postgres']);
    return Math.round(Number(/tps = ([\d.]+) \(without/.exec(stdout)?.[1]));
  };
  await run('pgbench', [...to(port), '-i', '-q', '-s', '1', 'postgres']);
  for (const mode of ['simple', 'extended', 'prepared']) {
    const words = ['-S', '-c', '8', '-T', '3', '-M', mode];
    console.info(
      `pgbench -S -c 8 -M ${mode}, tps: bare ${await pgbench(upstream, ...words)}, guarded ${await pgbench(port, ...words)}`,
    );
  }
  expect(told).toEqual([]);
});
