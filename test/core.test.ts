import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { afterAll, expect, test } from 'vitest';
import { readersFolder } from './support/readers-folder.ts';

const folder = readersFolder();
afterAll(() => rmSync(folder, { recursive: true }));

/** What a bundler makes of a program for a browser; a `node:` import would not resolve. */
async function bundled(program: string, external: readonly string[]) {
  const entry = join(folder, 'program.js');
  writeFileSync(entry, program);
  const { outputFiles, metafile, warnings } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    platform: 'browser',
    format: external.length === 0 ? 'iife' : 'esm',
    external: [...external],
    preserveSymlinks: false,
  });
  const [output] = Object.values(metafile.outputs);
  return { text: outputFiles[0]?.text ?? '', warnings, imports: output?.imports ?? [] };
}

/** Both ends of a dialogue in one program, with arrays between them for a wire. */
const program = `
  import { setup } from 'xstate';
  import { Connection, defineProtocol, Session } from 'wirechart/core';
  import { frame, is, secret, text, u8 } from 'wirechart/fields';
  const no = ({ message }) => ({ type: 'server.NO', reason: message });
  const protocol = defineProtocol({
    name: 'lock',
    port: 7000,
    machine: setup({}).createMachine({
      id: 'lock',
      initial: 'before',
      on: { 'transport.end': '.closed' },
      states: {
        before: { on: { 'transport.accept': 'locked' } },
        locked: { tags: 'client', on: { 'client.UNLOCK': 'judging' } },
        judging: { tags: 'server', on: { 'server.OK': 'open', 'server.NO': 'locked' } },
        open: { tags: 'client', on: { 'client.READ': 'reading' } },
        reading: { tags: 'server', on: { 'server.DEGREES': 'open' } },
        closed: { type: 'final' },
      },
    }),
    frames: {
      'client.UNLOCK': frame(is(u8(), 1), { pin: secret(text('u8')) }),
      'client.READ': frame(is(u8(), 2)),
      'server.OK': frame(is(u8(), 3)),
      'server.NO': frame(is(u8(), 4), { reason: text('u8') }),
      'server.DEGREES': frame(is(u8(), 5), { degrees: u8() }),
    },
    violation: { reply: no, closes: false },
    malformed: { reply: no, closes: false },
    unreadable: { reply: no },
    samples: () => ({ messages: {}, malformed: {} }),
  });
  const wire = (other) => ({
    write(bytes) { queueMicrotask(() => other().receive(bytes)); return true; },
    end() {}, close() {}, pause() {}, resume() {}, destroyLater() {}, wakeAt() {}, upgrade() {},
  });
  const server = new Session(new Connection(protocol, 'server'), wire(() => client), { id: 1, peer: 'client' });
  const client = new Session(new Connection(protocol, 'client'), wire(() => server), { id: 1, peer: 'server' });
  server.open(() => ({
    UNLOCK: ({ pin }) => (pin === 'gr\u00fcn' ? { type: 'server.OK' } : { type: 'server.NO', reason: 'wrong' }),
    READ: () => ({ type: 'server.DEGREES', degrees: 21 }),
  }));
  const heard = (message) => { log(JSON.stringify(message)); };
  client.open(() => ({
    NO(message) { heard(message); client.send({ type: 'client.UNLOCK', pin: 'gr\u00fcn' }); },
    OK(message) { heard(message); client.send({ type: 'client.READ' }); },
    DEGREES: heard,
  }));
  try { client.send({ type: 'client.READ' }); } catch (error) { log(error.code); }
  client.send({ type: 'client.UNLOCK', pin: 'blue' });
`;

test('the core is under 51 kB for a browser, with @xstate/graph and without xstate', async () => {
  const { text, imports, warnings } = await bundled(
    "export * from 'wirechart/core'; export { frame } from 'wirechart/fields';",
    ['xstate'],
  );
  const whole = await bundled("export * from 'wirechart/core'; export * from 'wirechart/fields';", [
    'xstate',
  ]);
  console.log(`core ${text.length} bytes, with the whole vocabulary of fields ${whole.text.length}`);
  expect(warnings).toEqual([]);
  expect([...new Set(imports.map(({ path }) => path))]).toEqual(['xstate']);
  expect(text).toContain('Traversal limit exceeded');
  expect(text).not.toContain('new Function');
  expect(text.length).toBeLessThan(51_000);
  expect(whole.text.length).toBeLessThan(89_000);
});

test('it runs where there is nothing of Node', async () => {
  const { text } = await bundled(program, []);
  const log: string[] = [];
  // What a browser has, of what we use.
  const context = createContext({
    TextEncoder,
    TextDecoder,
    queueMicrotask,
    log: (line: string) => log.push(line),
  });
  runInContext(text, context);
  await new Promise((resolve) => setImmediate(resolve));
  expect(runInContext('typeof process + typeof Buffer + typeof require + typeof setImmediate', context)).toBe(
    'undefinedundefinedundefinedundefined',
  );
  expect(log).toEqual([
    'not-our-turn',
    '{"type":"server.NO","reason":"wrong"}',
    '{"type":"server.OK"}',
    '{"type":"server.DEGREES","degrees":21}',
  ]);
});
