/** A word of a command line that carries a value of type `T`: a value, or an operand. Made by {@link value}. */
export interface Flag<T> {
  /** What stands for the value: `<file>`; of an operand that may be left out `[port]`, of the last of many `[names...]`. */
  readonly takes: string;
  /** In one line, what it is for. */
  readonly help: string;
  readonly details: FlagDetails;
  /** Makes the value of what was typed. Throws an error that says what was expected. */
  readonly read: (text: string) => T;
}

/** What a {@link Flag} may have besides. */
export interface FlagDetails {
  /** One letter: `l` for `-l`. */
  readonly short?: string;
  /** What is read when nothing was typed. */
  readonly default?: string;
  /** The variable of the environment that may give it. */
  readonly env?: string;
  /** The command is not understood without it. */
  readonly required?: true;
  /** All that may be typed. */
  readonly choices?: readonly string[];
  /** Of a flag without a value: it is there unless `--no-NAME` is typed. */
  readonly negated?: true;
  /** Known, but not shown by `--help`. */
  readonly hidden?: boolean;
}

/** Flags by their names in the program: `maxWaiting` is `--max-waiting`. */
export type Flags = Readonly<Record<string, Flag<unknown>>>;

/** None of them. */
export type NoFlags = Record<never, never>;

/** The values of flags. */
export type OptionsOf<L extends Flags> = { readonly [K in keyof L]: L[K] extends Flag<infer T> ? T : never };

/** There is always a value. */
type Settled = FlagDetails & ({ readonly default: string } | { readonly required: true });

/**
 * A value, or an operand, that takes a value.
 *
 * @example
 * ```ts
 * { log: value('<file>', 'the log', { default: './messages.log' }), most: value('<count>', 'at most', { read: count }) }
 * ```
 */
export function value(takes: string, help: string, details: Settled): Flag<string>;
export function value(takes: string, help: string, details?: FlagDetails): Flag<string | undefined>;
export function value<T>(
  takes: string,
  help: string,
  details: Settled & { readonly read: (text: string) => T },
): Flag<T>;
export function value<T>(
  takes: string,
  help: string,
  details: FlagDetails & { readonly read: (text: string) => T },
): Flag<T | undefined>;
export function value(
  takes: string,
  help: string,
  details: FlagDetails & { readonly read?: (text: string) => unknown } = {},
): Flag<unknown> {
  return { takes, help, details, read: details.read ?? ((text) => text) };
}

/** A flag that takes one of these words. */
export function choice<const C extends string>(
  takes: string,
  help: string,
  choices: readonly C[],
  byDefault: NoInfer<C>,
): Flag<C> {
  return {
    takes,
    help,
    details: { choices, default: byDefault },
    read(text) {
      const found = choices.find((word) => word === text);
      if (found === undefined) throw new RangeError(`Allowed choices are ${choices.join(', ')}.`);
      return found;
    },
  };
}

/** A flag without a value: there, or not. */
export function toggle(help: string, details: Pick<FlagDetails, 'short' | 'negated'> = {}): Flag<boolean> {
  return { takes: '', help, details, read: () => true };
}

/** The last operand, which takes all that is left, and all that stands behind `--`. */
export function rest(takes: `[${string}...]`, help: string): Flag<readonly string[]> {
  return { takes, help, details: {}, read: (text) => [text] };
}
