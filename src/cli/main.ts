import { readFileSync } from 'node:fs';
import tab from '@bomb.sh/tab/commander';
import { Command, CommanderError } from 'commander';
import { chatAccount } from './chat/account.ts';
import { chatBasic } from './chat/basic.ts';
import { diagram } from './diagram.ts';
import { EXIT, Failure } from './failure.ts';
import { log } from './log.ts';
import { send } from './send.ts';
import { serveAccountChat } from './serve/account-chat.ts';
import { serveBasicChat } from './serve/basic-chat.ts';
import { serveMessageLog } from './serve/message-log.ts';
import { verify } from './verify.ts';

/** The command line: `wirechart serve | send | log | diagram | verify | chat`. */
function program(): Command {
  const wirechart = new Command('wirechart')
    .description('Wire protocols as statecharts: serve them, speak them, prove them.')
    .version(version())
    .showHelpAfterError('(--help shows how)');
  wirechart
    .command('serve')
    .description('run a server')
    .addCommand(serveMessageLog(), { isDefault: true })
    .addCommand(serveBasicChat())
    .addCommand(serveAccountChat());
  wirechart.command('chat').description('talk to others').addCommand(chatBasic()).addCommand(chatAccount());
  wirechart.addCommand(diagram());
  wirechart.addCommand(send());
  wirechart.addCommand(log());
  wirechart.addCommand(verify());
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
  const wirechart = program();
  overrideExit(wirechart);
  try {
    await wirechart.parseAsync(args, { from: 'user' });
  } catch (error) {
    process.exitCode = report(error);
  }
}

/** Commander would leave with 1 for a wrong flag, and subcommands do not inherit what their parent does. */
function overrideExit(command: Command): void {
  command.exitOverride();
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
