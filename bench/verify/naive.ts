import { stateCover } from '../../src/verify/identify.ts';
import { type Mealy, trace, type Word } from '../../src/verify/mealy.ts';

/** What is usually written by hand: go to every state once, and there send every message once, legal or not. */
export function everyPathThenEveryInput(mealy: Mealy): Word[] {
  const paths = [...stateCover(mealy).values()];
  return paths.flatMap((path) => [...mealy.inputs.keys()].map((input) => [...path, input]));
}

/**
 * Random words until so many inputs are sent in all, each cut where the machine closes.
 *
 * @param random uniform in [0, 1).
 */
export function randomWords(mealy: Mealy, total: number, longest: number, random: () => number): Word[] {
  const words: Word[] = [];
  for (let sent = 0; sent < total; ) {
    const word = Array.from({ length: longest }, () => Math.floor(random() * mealy.inputs.length));
    const cut = word.slice(0, Math.min(trace(mealy, word).outputs.length, total - sent));
    words.push(cut);
    sent += cut.length;
  }
  return words;
}
