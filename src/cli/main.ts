import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { commandOf } from './command.ts';
import { EXIT, Failure } from './failure.ts';
import { missing } from './missing.ts';
import type { ProtocolModule } from './module.ts';
import { isModule, loadModule, ours } from './modules.ts';

/** The command line: `wirechart serve | verify | diagram`, and the commands that modules bring. */
async function program(words: readonly string[]): Promise<Command> {
  const wirechart = new Command('wirechart')
    .description('Wire protocols as statecharts: serve them, speak them, prove them.')
    .version(version());
  const [word = '', next] = words;
  // Each is loaded when it is asked for: a server that runs for months should not carry the libraries of the others.
  const load = own.get(word);
  if (load !== undefined) return wirechart.addCommand(await load(next, next === '--help' || next === '-h'));
  if (isModule(word)) {
    const command = new Command(word).description(`commands of ${word}`);
    await addCommands(command, await loadModule(word), all);
    if (command.commands.length === 0) {
      throw new Failure(
        `${word} brings no commands: wirechart serve, verify and diagram take it`,
        EXIT.usage,
      );
    }
    return wirechart.addCommand(command);
  }
  const modules: ProtocolModule[] = [];
  for (const name of ours.keys()) {
    const module = await loadModule(name);
    modules.push(module);
    await addCommands(wirechart, module, (name) => name.split(' ')[0] === word);
    if (word in module.commands) break;
  }
  if (wirechart.commands.length > 0) return wirechart;
  // Help, completion and the answer to a wrong word speak of all of them.
  for (const load of own.values()) wirechart.addCommand(await load(undefined, true));
  for (const module of modules) await addCommands(wirechart, module, all);
  if (word === 'complete' && next !== undefined && next !== '--' && !SHELLS.includes(next)) {
    throw new Failure(`no completion for ${next}: expected ${SHELLS.join(', ')}`, EXIT.usage);
  }
  const { default: tab } = await import('@bomb.sh/tab/commander');
  for (const command of tab(wirechart).commands.values()) {
    if (!command.arguments.has('module')) continue;
    command.argument('module', (complete) => {
      for (const name of ours.keys()) complete(name, '');
    });
  }
  const completing = wirechart.commands.find((command) => command.name() === 'complete');
  completing?.description(`print the completion script of a shell: ${SHELLS.join(', ')}`);
  if (next === 'bash') {
    // What is read-only cannot be read twice, and the names are those of everybody's scripts of this library.
    const { log } = console;
    console.log = (script: string) => log(script.replaceAll(/^readonly /gm, ''));
  }
  return wirechart;
}

const all = () => true;

const SHELLS = ['zsh', 'bash', 'fish', 'powershell'];

type Load = (next: string | undefined, wantsAll: boolean) => Promise<Command>;

const own: ReadonlyMap<string, Load> = new Map<string, Load>([
  ['serve', async (next, wantsAll) => (await import('./serve/serve.ts')).serve(next, wantsAll)],
  ['verify', async () => commandOf('verify', (await import('./verify.ts')).default)],
  ['guard', async () => commandOf('guard', (await import('./guard.ts')).default)],
  ['learn', async () => commandOf('learn', (await import('./learn.ts')).default)],
  ['diff', async () => commandOf('diff', (await import('./diff.ts')).default)],
  ['diagram', async () => commandOf('diagram', (await import('./diagram.ts')).default)],
]);

/** Adds those of the commands that a module brings. */
async function addCommands(
  parent: Command,
  { commands }: ProtocolModule,
  picked: (name: string) => boolean,
): Promise<void> {
  for (const [name, load] of Object.entries(commands).filter(([name]) => picked(name))) {
    const [first = '', ...others] = name.split(' ');
    const { default: declaration } = await load();
    if (others.length === 0) parent.addCommand(commandOf(first, declaration));
    else groupIn(parent, first).addCommand(commandOf(others.join(' '), declaration));
  }
}

/** `chat` of `chat basic` and `chat account`, which two modules bring. */
function groupIn(parent: Command, name: string): Command {
  const known = parent.commands.find((command) => command.name() === name);
  return known ?? parent.command(name).description(`${name}, each protocol in its own way`);
}

/** Runs one command and sets the exit code: 0 done, 1 failed, 2 not understood. */
export async function main(args: readonly string[]): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that has seen enough (`| head`) is no failure; a full disk is.
    if (error.code === 'EPIPE') process.exit(EXIT.ok);
    process.stderr.write(`wirechart: cannot write standard output: ${error.code ?? error.message}\n`);
    process.exit(EXIT.failed);
  });
  try {
    const wirechart = await program(args);
    overrideExit(wirechart);
    await wirechart.parseAsync(args, { from: 'user' });
  } catch (error) {
    process.exitCode = report(error);
  }
}

/** Commander would leave with 1 for a wrong flag, and subcommands do not inherit what their parent does. */
function overrideExit(command: Command): void {
  command.exitOverride().showHelpAfterError('(--help shows how)');
  for (const child of command.commands) overrideExit(child);
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (isFailure(error)) {
    process.stderr.write(`wirechart: ${error.message}\n`);
    return error.exitCode;
  }
  const packages = missing(error);
  if (packages === undefined) throw error;
  process.stderr.write(`wirechart: ${packages}\n`);
  return EXIT.failed;
}

/** Perhaps of another copy of wirechart, which a module has imported. */
function isFailure(error: unknown): error is Failure {
  return (
    error instanceof Failure || (error instanceof Error && error.name === 'Failure' && 'exitCode' in error)
  );
}

function version(): string {
  const manifest: { readonly version: string } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  return manifest.version;
}
