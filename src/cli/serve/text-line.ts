import { styleText } from 'node:util';

const LEVELS: ReadonlyMap<unknown, readonly [name: string, style: 'blue' | 'green' | 'yellow' | 'red']> =
  new Map([
    [20, ['DEBUG', 'blue']],
    [30, ['INFO', 'green']],
    [40, ['WARN', 'yellow']],
    [50, ['ERROR', 'red']],
  ]);

/** A line of diagnostics for people: its JSON as `[TIME] LEVEL: what {"what":"else"}`, a stack on lines of its own. */
export function textLine(json: string, colours: boolean): string {
  const { level, time, msg, err, ...about }: Readonly<Record<string, unknown>> = JSON.parse(json);
  const [name, style] = LEVELS.get(level) ?? ['FATAL', 'red'];
  const shown = colours ? styleText(style, name, { validateStream: false }) : name;
  const rest = Object.keys(about).length === 0 ? '' : ` ${JSON.stringify(about)}`;
  return `[${clock(time)}] ${shown}: ${msg}${rest}\n${stackOf(err)}`;
}

function clock(time: unknown): string {
  const at = new Date(String(time));
  const two = (part: number) => String(part).padStart(2, '0');
  const milliseconds = String(at.getMilliseconds()).padStart(3, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${milliseconds}`;
}

function stackOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return error === undefined ? '' : `    ${String(error)}\n`;
  const text: unknown = Reflect.get(error, 'stack') ?? Reflect.get(error, 'message');
  return `${String(text).replace(/^/gm, '    ')}\n`;
}
