import { runPython } from '../../outsiders/outsider.ts';
import { type DialogueName, dialogues } from './dialogues.ts';

/** What came back on one connection: reply bytes in hex, and `end`, `reset`, `open` (silence) or `flood`. */
export interface Answer {
  readonly replies: string;
  readonly ending: string;
}

/** All dialogues by name. */
export const dialogueNames = Object.keys(dialogues).filter((name): name is DialogueName => name in dialogues);

/** What the document asks for, one answer a connection. */
export function expectedAnswers(name: DialogueName): Answer[] {
  return dialogues[name].map(({ replies, ending }) => ({ replies, ending }));
}

/** Holds dialogues with message-log servers on 127.0.0.1, many at a time, from one Python process. */
export async function converse(
  wanted: readonly { readonly id: string; readonly port: number; readonly dialogue: DialogueName }[],
): Promise<Map<string, Answer[]>> {
  const lines = wanted.map(({ id, port, dialogue }) =>
    JSON.stringify({ id, port, connections: dialogues[dialogue] }),
  );
  const { status, stdout, stderr } = await runPython('message_log_client.py', ['--batch'], lines.join('\n'));
  if (status !== 0) throw new Error(`the Python client failed: ${stderr}`);
  const answers = stdout.trim().split('\n');
  return new Map(
    answers
      .map((line): { id: string; connections: Answer[] } => JSON.parse(line))
      .map(({ id, connections }) => [id, connections]),
  );
}
