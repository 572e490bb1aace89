import { pino } from 'pino';
import { expect, test } from 'vitest';
import { textLine } from '../../../src/cli/serve/text-line.ts';

/** What pino writes for these. */
function written(write: (logger: pino.Logger) => void): string {
  const lines: string[] = [];
  const options = { base: null, timestamp: () => ',"time":"2026-01-02T03:04:05.006Z"' };
  write(pino(options, { write: (line: string) => void lines.push(line) }));
  return lines[0] ?? '';
}

test('a line for people has the time, the level, the words and what else there is', () => {
  const line = written((logger) => logger.warn({ connection: 3, peer: '[::1]:5\n' }, 'refused'));
  expect(textLine(line, false)).toMatch(
    /^\[\d\d:\d\d:05\.006\] WARN: refused \{"connection":3,"peer":"\[::1\]:5\\n"\}\n$/,
  );
});

test('an error comes with its stack, on lines of its own', () => {
  const error = new Error('the database is away');
  const line = written((logger) => logger.error({ err: error }, 'a handler failed'));
  const [first, second, third] = textLine(line, false).split('\n');
  expect(first).toMatch(/ERROR: a handler failed$/);
  expect(second).toBe('    Error: the database is away');
  expect(third).toMatch(/^ {8}at /);
});

test('colours where they are wanted', () => {
  const line = written((logger) => logger.info('ready'));
  expect(textLine(line, true)).toContain('\x1b[32mINFO\x1b[39m: ready\n');
});
