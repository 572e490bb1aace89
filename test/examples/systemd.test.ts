import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { WIRECHART } from '../support/wirechart.ts';

const folder = fileURLToPath(new URL('../../examples/systemd/', import.meta.url));
const units = readdirSync(folder).filter((name) => name.endsWith('.service'));
const missing = spawnSync('systemd-analyze', ['--version']).status !== 0;

test('each server has a unit', () => {
  expect(units.sort()).toEqual(
    ['account-chat', 'basic-chat', 'message-log'].map((name) => `wirechart-${name}.service`),
  );
});

test.each(units)('%s: every flag is one of the command', (unit) => {
  const [, command = ''] =
    /^ExecStart=\S+ \S+ ((?:.*\\\n)*.*)/m.exec(readFileSync(folder + unit, 'utf8')) ?? [];
  const [serve = '', name = '', ...words] = command.replaceAll('\\\n', '').split(/\s+/);
  const help = execFileSync(process.execPath, [WIRECHART, serve, name, '--help'], { encoding: 'utf8' });
  const flags = words.filter((word) => word.startsWith('--'));
  expect(flags.length).toBeGreaterThan(6);
  expect(flags.filter((flag) => !help.includes(`${flag} `) && !help.includes(`${flag}\n`))).toEqual([]);
});

test.skipIf(missing).each(units)('%s: systemd-analyze security rates it at most 3.0', (unit) => {
  const words = ['security', '--offline=true', '--threshold=30', '--no-pager', folder + unit];
  const { status, stdout, stderr } = spawnSync('systemd-analyze', words, { encoding: 'utf8' });
  expect(status, stdout + stderr).toBe(0);
  expect(stdout).toMatch(/Overall exposure level for .*: [0-2]\.\d OK/);
});
