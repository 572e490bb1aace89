/** What happened in a dialogue: so many equal messages, by their name, or something else in words. */
export type Happening =
  | { readonly message: string; readonly count: number; readonly state: string }
  | { readonly note: unknown };

/**
 * Draws a dialogue as a Mermaid `sequenceDiagram`: each message with the state in which it was said. Ends in a newline.
 *
 * @param about who held it: over the picture.
 */
export function sequenceOf(about: string, dialogue: Iterable<Happening>): string {
  const lines = [...dialogue].map((each) => {
    if ('note' in each) return `note over client,server: ${escaped(String(each.note))}`;
    const [sender = '', name = ''] = each.message.split('.');
    const arrow = sender === 'client' ? 'client->>server' : 'server-->>client';
    const times = each.count === 1 ? '' : ` x ${each.count}`;
    return `${arrow}: ${escaped(`${name}${times} (${each.state})`)}`;
  });
  const body = [`title ${escaped(about)}`, 'participant client', 'participant server', ...lines];
  return `${['sequenceDiagram', ...body.map((line) => `  ${line}`)].join('\n')}\n`;
}

/** Mermaid ends a statement at a semicolon, and takes a hash for the beginning of a character. */
function escaped(text: string): string {
  return text.replaceAll('#', '#35;').replaceAll(';', '#59;').replaceAll('\n', ' ');
}
