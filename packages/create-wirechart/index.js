#!/usr/bin/env node
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, styleText } from 'node:util';

const HELP = `Usage: npm create wirechart [FOLDER]

Makes FOLDER (my-protocol) with a small protocol of your own to begin with: a thermostat that wants a PIN. A machine, its
frames, handlers, a client, and tests that write themselves.

Options:
  --wirechart <spec>  the wirechart to depend on: a version, or the path of a packed tarball
  -h, --help          this page
`;

let given;
try {
  given = parseArgs({
    allowPositionals: true,
    options: { wirechart: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
} catch (error) {
  give(`${error.message}`);
}
const {
  values,
  positionals: [name = 'my-protocol', ...more],
} = given;
if (values.help) {
  process.stdout.write(HELP);
  process.exit();
}
if (more.length > 0) give(`one folder is enough: what is ${more.join(' ')}?`);

const folder = resolve(name);
const wirechart = dependency(values.wirechart);
if (existsSync(folder) && readdirSync(folder).some((file) => file !== '.git')) {
  give(`${folder} is not empty: name another folder, and nothing of yours is touched`);
}
mkdirSync(folder, { recursive: true });
cpSync(fileURLToPath(new URL('template/', import.meta.url)), folder, { recursive: true });

const path = join(folder, 'package.json');
const manifest = { name: npmName(folder), ...JSON.parse(readFileSync(path, 'utf8')) };
if (wirechart !== undefined) manifest.dependencies.wirechart = wirechart;
writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`);
// npm leaves a .gitignore out of what it packs.
writeFileSync(join(folder, '.gitignore'), 'node_modules/\n');

const bold = (text) => (process.stdout.isTTY ? styleText('bold', text) : text);
process.stdout.write(`A thermostat of your own is in ${folder}.

  ${bold(`cd ${name}`)}
  ${bold('npm install')}
  ${bold('npm start')}           serve it, on port 7000
  ${bold('npm run verify -- localhost:7000')}
                      from a second terminal, with the address that it says: every path, every message out of order
  ${bold('npm test')}            the same suite as tests of its own
  ${bold('npm run picture')}     its chart, in picture.svg

Is port 7000 taken? ${bold('npm start -- 0')} takes a free one, and says which.

machine.ts says what may come when, protocol.ts how it looks on the wire, handlers.ts what it does.
`);

/** A path is one from here, and not from the folder that is made. */
function dependency(spec) {
  const [, path] = /^(?:file:)?(.*\.tgz|\.{0,2}[/\\].*)$/i.exec(spec ?? '') ?? [];
  if (path === undefined || /^\w+:\/\//.test(path)) return spec;
  if (!existsSync(path)) give(`there is no ${resolve(path)}`);
  return `file:${resolve(path).replaceAll('\\', '/')}`;
}

function npmName(path) {
  const plain = basename(path)
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+|-+$/g, '');
  return plain === '' ? 'my-protocol' : plain;
}

function give(message) {
  process.stderr.write(`create-wirechart: ${message}\n`);
  process.exit(2);
}
