import { cp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ours } from '../../src/cli/modules.ts';
import { readersFolder } from '../support/readers-folder.ts';
import { type Outcome, Running, run } from '../support/wirechart.ts';

const examples = fileURLToPath(new URL('../../examples/thermostat', import.meta.url));

/** Somebody's machine: wirechart and a package of a stranger's are installed, and there are files of his own. */
const folder = readersFolder();
const installed = join(folder, 'node_modules/thermostat');

beforeAll(async () => {
  await build({
    entryPoints: [join(examples, 'module.ts')],
    bundle: true,
    format: 'esm',
    platform: 'node',
    external: ['wirechart*', 'xstate'],
    outfile: join(installed, 'lib/module.js'),
  });
  // An entry for `import` alone, as most packages have.
  const manifest = { name: 'thermostat', type: 'module', exports: { '.': { import: './lib/module.js' } } };
  await writeFile(join(installed, 'package.json'), JSON.stringify(manifest));
  await cp(examples, join(folder, 'typescript'), { recursive: true });
  await writeFile(
    join(folder, 'own.js'),
    `import { defineCommand, defineModule, Failure, value, rest, toggle } from 'wirechart/cli';
    import thermostat from 'thermostat';
    export { thermostat };
    export default defineModule({
      protocol: thermostat.protocol,
      commands: {
        'greet all': async () => ({
          default: defineCommand({
            help: 'greet people',
            operands: { first: value('[first]', 'who'), others: rest('[others...]', 'who else') },
            flags: { loud: toggle('more so', { short: 'l' }) },
            run({ first, others }, { loud }) {
              if (first === 'nobody') throw new Failure('there is nobody', 3);
              console.log(JSON.stringify({ first, others, loud }));
            },
          }),
        }),
      },
    });`,
  );
  await writeFile(
    join(folder, 'shared.js'),
    `import { defineModule } from 'wirechart/cli';
    import thermostat from 'thermostat';
    export default { ...thermostat, serve: { ...thermostat.serve, workers: {} } };`,
  );
  await writeFile(
    join(folder, 'unclosed.js'),
    `import { Failure } from 'wirechart/cli';
    import thermostat from 'thermostat';
    const open = async (...about) => ({
      ...(await thermostat.serve.open(...about)),
      close() { throw new Failure('it does not close'); },
    });
    export default { ...thermostat, serve: { ...thermostat.serve, open } };`,
  );
  await writeFile(join(folder, 'empty.js'), 'export const nothing = 7;');
  await writeFile(join(folder, 'broken.js'), "throw new Error('it is out of order');");
});
afterAll(() => rm(folder, { recursive: true }));

/** What a thermostat answers to UNLOCK with a PIN. */
async function unlock(port: number, pin: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end(Buffer.from(`\x01${String.fromCharCode(pin.length)}${pin}`, 'latin1'));
  return (await buffer(socket)).toString('latin1');
}

async function served(module: string, ...args: string[]): Promise<Running> {
  const server = new Running(['serve', module, '--host', '127.0.0.1', '-p', '0', ...args], { cwd: folder });
  await server.says(/listening on \S+:\d+\D/);
  return server;
}

// Shared, since of tests that run together none is known to be the one that it must end with.
const wirechart = (...words: string[]): Promise<Outcome> => run(words, { cwd: folder, shared: true });

test('the names are those of the modules', async () => {
  for (const [name, load] of ours) expect(await load(), name).toHaveProperty([`${camel(name)}Module`]);
});

function camel(name: string): string {
  return name.replace(/-./g, (letters) => letters.slice(1).toUpperCase());
}

describe.each([
  ['a file', './node_modules/thermostat/lib/module.js'],
  ['a folder', './node_modules/thermostat'],
  ['a package', 'thermostat'],
])('%s', (_what, module) => {
  test('is served, with its flags and those of every server', async () => {
    const server = await served(module, '--pin', '77', '--metrics', '0', '--inspect', '0', '--json');
    expect(await unlock(server.port, '77')).toBe('\x80');
    expect(await unlock(server.port, '78')).toBe('\x81\x09wrong PIN');
    const page = /live page at (\S+?)"/.exec(server.stdout)?.[1] ?? '';
    expect(await (await fetch(page)).text()).toContain('thermostat');
    const metrics = /metrics at (\S+?)"/.exec(server.stdout)?.[1] ?? '';
    expect(await (await fetch(`${metrics}/metrics`)).text()).toContain('protocol="thermostat"');
    const { status, stdout } = await server.stop();
    expect(status).toBe(0);
    expect(stdout).toContain('"connections":2');
  });

  test('is drawn', async () => {
    expect(await wirechart('diagram', module)).toMatchObject({
      status: 0,
      stderr: '',
      stdout: expect.stringContaining('unlocked'),
    });
  });
});

test('a package is verified', async () => {
  const server = await served('thermostat');
  const { status, stdout } = await wirechart('verify', 'thermostat', `127.0.0.1:${server.port}`);
  expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining('conforms') });
});

test('several processes serve where the module can be shared, and one where it does not say so', async () => {
  const server = await served('./shared.js', '--workers', '2');
  expect(await unlock(server.port, '1234')).toBe('\x80');
  expect(await unlock(server.port, '1234')).toBe('\x80');
  const { status, stdout } = await server.stop();
  expect(stdout.match(/a worker listens/g)).toHaveLength(2);
  expect([status, /"connections":2/.test(stdout)]).toEqual([0, true]);
  const refused = await wirechart('serve', 'thermostat', '--workers', '2');
  expect(refused.status).toBe(2);
  expect(refused.stderr).toContain('may be known to one process; leave --workers out.');
});

describe.skipIf(Boolean(Reflect.get(process.features, 'typescript')))('TypeScript, on Node 20', () => {
  test('is loaded by the tsx that is installed', async () => {
    const server = await served('./typescript/module.ts', '--pin', '5');
    expect(await unlock(server.port, '5')).toBe('\x80');
  });

  test('says what to install where there is none', async () => {
    const bare = readersFolder();
    await rm(join(bare, 'node_modules/tsx'));
    await cp(examples, join(bare, 'typescript'), { recursive: true });
    const { status, stderr } = await run(['diagram', './typescript/module.ts'], { cwd: bare });
    await rm(bare, { recursive: true });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^wirechart: Node \S+ runs no TypeScript: npm install --save-dev tsx, .*\n$/);
  });
});

test.concurrent.each([
  ['./own.js greet all', { others: [], loud: false }],
  ['./own.js greet all ann bob cid -l', { first: 'ann', others: ['bob', 'cid'], loud: true }],
  ['./own.js greet all -- ann bob', { others: ['ann', 'bob'], loud: false }],
])('its commands are run: %s', async (line, says) => {
  const { status, stdout, stderr } = await wirechart(...line.split(' '));
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(JSON.parse(stdout)).toEqual(says);
});

test.concurrent.each([
  ['serve mesage-log', /no protocol is called mesage-log: did you mean message-log\?/],
  ['serve own.js', /no protocol is called own\.js: did you mean \.\/own\.js\?/],
  [
    'verify nothing-like-it 5555',
    /called nothing-like-it: expected message-log, basic-chat, account-chat, a path/,
  ],
  ['serve ./missing.js', /^wirechart: there is no file or folder \.\/missing\.js\n$/],
  ['serve ./node_modules', /the folder \.\/node_modules has no package\.json: name a file in it/],
  ['diagram thermostat/inside', /the package\.json of thermostat\/inside leads to no file/],
  ['diagram ./empty.js', /\.\/empty\.js exports no protocol: make what defineModule/],
  ['serve ./own.js', /\.\/own\.js exports a protocol, and nothing that serves it/],
  ['thermostat anything', /thermostat brings no commands/],
  ['sned', /unknown command 'sned'\s+\(Did you mean send\?\)/],
])('%s is answered by 2 and one clear line', async (line, reason) => {
  const { status, stdout, stderr } = await wirechart(...line.split(' '));
  expect(stderr).toMatch(reason);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).not.toMatch(/\n\s+at /);
});

test('a module that fails says so, and a command with its own status', async () => {
  expect(await wirechart('diagram', './broken.js')).toMatchObject({
    status: 1,
    stderr: 'wirechart: cannot load ./broken.js: it is out of order\n',
  });
  expect(await wirechart('./own.js', 'greet', 'all', 'nobody')).toMatchObject({
    status: 3,
    stderr: 'wirechart: there is nobody\n',
  });
});

test('of what fails while a server starts or stops the first is told, and nothing is left undone', async () => {
  const { port } = await served('thermostat');
  const refused = await wirechart('serve', './unclosed.js', `127.0.0.1:${port}`);
  expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining(`${port}`) });
  expect(refused.stderr).not.toContain('it does not close');
  const server = await served('./unclosed.js');
  expect(await server.stop()).toMatchObject({
    status: 1,
    stdout: expect.stringContaining('stopped'),
    stderr: 'wirechart: it does not close\n',
  });
});
