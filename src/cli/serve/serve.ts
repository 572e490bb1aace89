import { Command } from 'commander';
import { EXIT, Failure } from '../failure.ts';
import { loadModule, ours } from '../modules.ts';
import { servedBy } from './host.ts';

/** What is served when no module is named. */
const DEFAULT = 'message-log';

/**
 * `wirechart serve`, for a command line that goes on with `next`: only what that names is loaded. Asked for help, it
 * tells of all that come with wirechart.
 */
export async function serve(next: string | undefined, wantsAll: boolean): Promise<Command> {
  const command = new Command('serve').description(
    `run a server: of a protocol by its name (default: ${DEFAULT}), a module of your own (./file), or a package`,
  );
  const names = wantsAll ? [...ours.keys()] : [isName(next) ? next : DEFAULT];
  for (const name of names) {
    const { protocol, serve } = await loadModule(name);
    if (serve === undefined) {
      throw new Failure(
        `${name} exports a protocol, and nothing that serves it: export default defineModule({ protocol, serve })`,
        EXIT.usage,
      );
    }
    command.addCommand(servedBy(name, protocol, serve), { isDefault: name === DEFAULT });
  }
  return command;
}

/** Not a flag, not an address. */
function isName(word: string | undefined): word is string {
  return word !== undefined && !/^-|^(.*:)?\d+$|^unix:/.test(word);
}
