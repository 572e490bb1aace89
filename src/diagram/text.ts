/*
 * Text is measured without a browser: the advance widths of a common sans-serif in thousandths of an em, with some air,
 * since the reader's own font is not known; a monospaced font is 0.6 em almost everywhere.
 */
const WIDTHS: Record<string, number> = {
  "'": 191, i: 222, j: 222, l: 222, '|': 260, ' ': 278, '!': 278, ',': 278, '.': 278, '/': 278, ':': 278, ';': 278,
  f: 278, t: 278, I: 278, '[': 278, ']': 278, '(': 333, ')': 333, '-': 333, r: 333, '`': 333, '"': 355, c: 500, k: 500,
  s: 500, v: 500, x: 500, y: 500, z: 500, J: 500, F: 611, T: 611, Z: 611, A: 667, B: 667, E: 667, K: 667, P: 667,
  S: 667, V: 667, X: 667, Y: 667, C: 722, D: 722, H: 722, N: 722, R: 722, U: 722, w: 722, G: 778, O: 778, Q: 778,
  m: 833, M: 833, '%': 889, W: 944, '@': 1015,
}; // biome-ignore format: a table
const AIR = 1.13;

/** Width in pixels of a line of proportional text at a size in pixels. */
export function sansWidth(text: string, size: number): number {
  const thousandths = [...text].reduce((sum, character) => sum + (WIDTHS[character] ?? 556), 0);
  return (thousandths / 1000) * size * AIR;
}

/** Width in pixels of a line of monospaced text at a size in pixels. */
export function monoWidth(text: string, size: number): number {
  return [...text].length * size * 0.61;
}

/**
 * Breaks text at spaces into lines of at most `width` pixels, as few as possible and then as even as possible; a longer
 * word keeps a line of its own.
 */
export function wrap(text: string, size: number, width: number): string[] {
  const lines = fill(text, size, width);
  for (let narrower = width - 4; narrower > 0; narrower -= 4) {
    const even = fill(text, size, narrower);
    if (even.length > lines.length || even.some((line) => sansWidth(line, size) > narrower)) {
      return fill(text, size, narrower + 4);
    }
  }
  return lines;
}

function fill(text: string, size: number, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const last = lines.at(-1);
    const longer = `${last} ${word}`;
    if (last !== undefined && sansWidth(longer, size) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
