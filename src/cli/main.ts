import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { EXIT, Failure } from './failure.ts';

/**
 * Each command with a way to load it: most bring libraries along, and a server that runs for months should not carry
 * those of the others.
 */
const commands: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ['serve', async () => (await import('./serve/serve.ts')).serve()],
  ['chat', async () => (await import('./chat/chat.ts')).chat()],
  ['diagram', async () => (await import('./diagram.ts')).diagram()],
  ['send', async () => (await import('../protocols/message-log/commands/send.ts')).send()],
  ['log', async () => (await import('../protocols/message-log/commands/log.ts')).log()],
  ['verify', async () => (await import('./verify.ts')).verify()],
]);

/** The command line: `wirechart serve | send | log | diagram | verify | chat`, or what of it `word` asks for. */
async function program(word: string): Promise<Command> {
  const wirechart = new Command('wirechart')
    .description('Wire protocols as statecharts: serve them, speak them, prove them.')
    .version(version());
  const asked = commands.get(word);
  if (asked !== undefined) return wirechart.addCommand(await asked());
  // Help, completion and the answer to a wrong word speak of all of them.
  for (const load of commands.values()) wirechart.addCommand(await load());
  const { default: tab } = await import('@bomb.sh/tab/commander');
  tab(wirechart);
  return wirechart;
}

/** Runs one command and sets the exit code: 0 done, 1 failed, 2 not understood. */
export async function main(args: readonly string[]): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that has seen enough (`| head`) is no failure; a full disk is.
    if (error.code === 'EPIPE') process.exit(EXIT.ok);
    process.stderr.write(`wirechart: cannot write standard output: ${error.code ?? error.message}\n`);
    process.exit(EXIT.failed);
  });
  const wirechart = await program(args[0] ?? '');
  overrideExit(wirechart);
  try {
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
  if (error instanceof Failure) {
    process.stderr.write(`wirechart: ${error.message}\n`);
    return error.exitCode;
  }
  throw error;
}

function version(): string {
  const manifest: { readonly version: string } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  return manifest.version;
}
