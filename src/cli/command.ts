import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import type { Flag, Flags, NoFlags, OptionsOf } from './flag.ts';

/** What {@link defineCommand} takes. */
export interface CommandDeclaration<A extends Flags, L extends Flags> {
  /** In one line, what it does. */
  readonly help: string;
  /** In their order; the last one may be made by `rest`. */
  readonly operands?: A;
  readonly flags?: L;
  /** Said by `--help` at its end: examples, exit codes. */
  readonly more?: string;
  /** Does it. A `Failure` is told in one line. */
  run(operands: OptionsOf<A>, options: OptionsOf<L>): void | Promise<void>;
}

/** A command, whichever its flags. */
export interface AnyCommand extends Omit<CommandDeclaration<Flags, Flags>, 'run'> {
  /** See {@link CommandDeclaration.run}. */
  run(operands: object, options: object): void | Promise<void>;
}

/** A command that a module brings, to be the default export of a file that is loaded when it is asked for. */
export function defineCommand<const A extends Flags = NoFlags, const L extends Flags = NoFlags>(
  declaration: CommandDeclaration<A, L>,
): AnyCommand {
  return declaration;
}

/** The command under this name, as commander runs it. */
export function commandOf(name: string, { help, operands = {}, flags = {}, more, run }: AnyCommand): Command {
  const command = withFlags(new Command(name), flags).description(help);
  for (const operand of Object.values(operands)) command.addArgument(argumentOf(operand));
  if (more !== undefined) command.addHelpText('after', `\n${more}`);
  return command.action(async () => {
    await run(operandsOf(command, operands), command.opts());
  });
}

/** Adds flags to a command; their values are in its `opts()`. */
export function withFlags(command: Command, flags: Flags): Command {
  for (const [name, { takes, help, details, read }] of Object.entries(flags)) {
    const dashed = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const long = name.length === 1 ? `-${name}` : `--${details.negated === true ? 'no-' : ''}${dashed}`;
    const short = details.short === undefined ? '' : `-${details.short}, `;
    const option = new Option(`${short}${long} ${takes}`.trimEnd(), help).hideHelp(details.hidden === true);
    if (details.choices !== undefined) option.choices(details.choices);
    else if (takes !== '') option.argParser(reading(read));
    if (details.default !== undefined) option.default(read(details.default), details.default);
    if (details.env !== undefined) option.env(details.env);
    if (details.required === true) option.makeOptionMandatory();
    command.addOption(option);
    // Not as its default, which would be shown.
    if (takes === '') command.setOptionValueWithSource(name, details.negated === true, 'default');
  }
  return command;
}

function argumentOf({ takes, help, details }: Flag<unknown>): Argument {
  const argument = new Argument(takes, help);
  // It is read by us, who know what stands behind `--`.
  return details.default === undefined ? argument : argument.default(details.default, details.default);
}

function reading<T>(read: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return read(text);
    } catch (error) {
      throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
    }
  };
}

/** What stands behind `--` belongs to the last operand, where that takes many. */
function operandsOf(command: Command, operands: Flags): object {
  const last = command.registeredArguments.at(-1);
  const many = last?.variadic === true ? command.registeredArguments.length - 1 : undefined;
  const single = many === undefined ? command.args.length : Math.min(many, beforeDashes(command));
  return Object.fromEntries(
    Object.entries(operands).map(([name, { read, details }], at) => {
      if (at === many) return [name, command.args.slice(single)];
      const text = at < single ? command.args[at] : details.default;
      try {
        return [name, text === undefined ? undefined : read(text)];
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        return command.error(`error: '${text}' is invalid as ${name}. ${reason}`);
      }
    }),
  );
}

function beforeDashes(command: Command): number {
  let root = command;
  while (root.parent !== null) root = root.parent;
  const words: unknown = 'rawArgs' in root ? root.rawArgs : [];
  const dashes = Array.isArray(words) ? words.indexOf('--') : -1;
  return Array.isArray(words) && dashes >= 0
    ? command.args.length - (words.length - 1 - dashes)
    : command.args.length;
}
