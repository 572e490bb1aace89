/** Controls, invisible formatting (which can turn text around), line separators, halves of characters. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * Text of a stranger as a terminal may show it: no control character, and so no escape sequence, survives.
 * Tabs and line breaks become blanks, everything else that cannot be seen becomes `�`.
 *
 * @param lineBreaks - Keeps line breaks; only for text that no other user had a hand in.
 */
export function printable(text: string, { lineBreaks = false } = {}): string {
  return text.replace(UNPRINTABLE, (character) => {
    if (character === '\n') return lineBreaks ? '\n' : ' ';
    return character === '\t' ? ' ' : '�';
  });
}
