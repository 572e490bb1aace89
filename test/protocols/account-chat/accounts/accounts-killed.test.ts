import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { openLibsqlAccounts } from '../../../../src/protocols/account-chat/accounts/libsql-accounts.ts';
import { temporaryDirectory } from '../../../support/temporary.ts';

const dist = (file: string) =>
  JSON.stringify(new URL(`../../../../dist/protocols/account-chat/accounts/${file}`, import.meta.url).href);

/**
 * Writes without end, and prints what was acknowledged, a line each: `register NAME`, `queued NAME NUMBER`,
 * `delivered NAME NUMBER` (all up to it), `removed NAME`. Twenty accounts, each at its own pace, so that every
 * transaction carries calls of several.
 */
const WRITER = `
  import { writeSync } from 'node:fs';
  const { openLibsqlAccounts } = await import(${dist('libsql-accounts.js')});
  const accounts = await openLibsqlAccounts(process.argv[1]);
  const say = (line) => writeSync(1, line + '\\n');
  async function live(name, pace) {
    await accounts.register(name, 'hash');
    say('register ' + name);
    for (let number = 1; ; number += 1) {
      await accounts.enqueue(name, 'writer', String(number));
      say('queued ' + name + ' ' + number);
      if (number % pace === 0) {
        const message = (await accounts.waiting(name, pace)).at(-1);
        await accounts.delivered(name, message.id);
        say('delivered ' + name + ' ' + message.content);
      }
      if (number % 50 === 0) {
        await accounts.register(name + '-' + number, 'hash');
        await accounts.remove(name + '-' + number);
        say('removed ' + name + '-' + number);
      }
    }
  }
  for (let n = 0; n < 20; n += 1) void live('user' + n, 7 + n);
`;

test('killed under load, three times over, it loses nothing that was acknowledged and repeats nothing', async () => {
  for (const lines of [50, 400, 3000]) {
    const path = join(await temporaryDirectory(), 'accounts.db');
    const acknowledged = await killedAfter(path, lines);
    expect(acknowledged.length).toBeGreaterThanOrEqual(lines);

    const accounts = await openLibsqlAccounts(path);
    const names: string[] = [];
    for await (const name of accounts.names()) names.push(name);
    const queued = new Map<string, number>();
    const delivered = new Map<string, number>();
    for (const line of acknowledged) {
      const [what, name = '', number] = line.split(' ');
      if (what === 'register') expect(names).toContain(name);
      if (what === 'removed') expect(names).not.toContain(name);
      if (what === 'queued') queued.set(name, Number(number));
      if (what === 'delivered') delivered.set(name, Number(number));
    }
    for (const [name, atLeast] of queued) {
      const numbers = (await accounts.waiting(name, 1000)).map((message) => Number(message.content));
      const [first = atLeast + 1] = numbers;
      // In order and without a gap, to at least what was acknowledged,
      expect(numbers).toEqual(numbers.map((_, at) => first + at));
      expect(numbers.at(-1) ?? first - 1).toBeGreaterThanOrEqual(atLeast);
      // from behind what was delivered: acknowledged, or one delivery more whose acknowledgement we cut off.
      const through = delivered.get(name) ?? 0;
      const pace = 7 + Number(name.slice('user'.length));
      expect([through, through + pace]).toContain(first - 1);
    }
    expect(await accounts.enqueue('user0', 'test', 'and it goes on')).toBe('queued');
    await accounts.close();
  }
});

/** The complete lines that reached us; one that was cut off, or printed for nobody, was never acknowledged. */
async function killedAfter(path: string, lines: number): Promise<string[]> {
  const writer = spawn(process.execPath, ['--input-type=module', '--eval', WRITER, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(writer, 'exit');
  const acknowledged: string[] = [];
  for await (const line of createInterface({ input: writer.stdout })) {
    acknowledged.push(line);
    if (acknowledged.length === lines) writer.kill('SIGKILL');
  }
  expect(await exited).toEqual([null, 'SIGKILL']);
  return acknowledged;
}

test.skipIf(process.platform === 'win32')(
  'storage that fails rejects, and keeps what it acknowledged',
  async () => {
    const path = join(await temporaryDirectory(), 'accounts.db');
    const filler = `
    const { openLibsqlAccounts } = await import(${dist('libsql-accounts.js')});
    const accounts = await openLibsqlAccounts(process.argv[1], { maxWaiting: 1e6 });
    await accounts.register('ann', 'hash');
    let acknowledged = 0;
    for (let failed = 0; failed < 3; ) {
      const calls = Array.from({ length: 10 }, () => accounts.enqueue('ann', 'bob', 'x'.repeat(500)));
      const results = await Promise.allSettled(calls);
      acknowledged += results.filter((result) => result.value === 'queued').length;
      const rejected = results.find((result) => result.status === 'rejected');
      if (rejected) {
        failed += 1;
        console.log(rejected.reason.name);
      }
    }
    console.log(acknowledged, await accounts.passwordHash('ann'));
    process.kill(process.pid, 'SIGKILL');
  `;
    // The shell's limit on the size of a file stands for a full disk: a write beyond it fails.
    const limited = 'ulimit -f 1000; exec "$0" --input-type=module --eval "$1" "$2"';
    const child = spawn('/bin/sh', ['-c', limited, process.execPath, filler, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) lines.push(line);
    expect(await exited).toEqual([null, 'SIGKILL']);
    expect(lines.slice(0, -1)).toEqual(['AccountsFileError', 'AccountsFileError', 'AccountsFileError']);
    const [acknowledged, hash] = lines.at(-1)?.split(' ') ?? [];
    expect(hash).toBe('hash');
    expect(Number(acknowledged)).toBeGreaterThan(100);

    const accounts = await openLibsqlAccounts(path);
    expect(await accounts.waiting('ann', 1_000_000)).toHaveLength(Number(acknowledged));
    await accounts.close();
  },
);
