import { printable } from '../printable.ts';

/** Characters of an error's text. */
const MOST = 200;

/**
 * What a handler threw, for the operator: its name, its code, where, and the beginning of its text. Not all of it: it is
 * as long as whoever threw it likes, and may quote what it was given.
 */
export function failureInShort(error: unknown): Readonly<Record<string, string | undefined>> {
  if (!(error instanceof Error)) return { error: inShort(String(error)) };
  const code = 'code' in error ? String(error.code) : undefined;
  return { error: error.name, code, text: inShort(error.message), at: whereThrown(error) };
}

function inShort(text: string): string {
  const line = printable(text.slice(0, MOST + 1));
  return line.length > MOST ? `${line.slice(0, MOST)}...` : line;
}

/** The file and line that stand first in its stack, behind its text, which may look like one. */
function whereThrown({ stack = '', message }: Error): string | undefined {
  const text = stack.indexOf(message);
  const [, place] =
    /^ {4}at (?:.* \()?([^()\n]+:\d+:\d+)\)?$/m.exec(text < 0 ? '' : stack.slice(text + message.length)) ??
    [];
  return place;
}
