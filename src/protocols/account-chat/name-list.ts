const SEPARATOR = ', ';

/**
 * Writes names, separated by ", ", as texts of at most `size` characters: every text but the last ends in "," and is
 * continued in the next, so that the texts put together are the list. Without any name one empty text.
 *
 * Asks for names no faster than its texts are taken.
 */
export async function* nameList(
  names: AsyncIterable<string>,
  size: number,
): AsyncGenerator<string, void, void> {
  let text = '';
  let first = true;
  for await (const name of names) {
    // Room for the comma, should another name follow.
    if (!first && text.length + SEPARATOR.length + name.length >= size) {
      yield `${text},`;
      text = ` ${name}`;
    } else text += first ? name : SEPARATOR + name;
    first = false;
  }
  yield text;
}
