import { mermaidOf } from '../diagram/mermaid.ts';
import { sequenceOf } from '../diagram/sequence.ts';
import { tableOf } from '../diagram/table.ts';
import type { Detail } from '../diagram/view.ts';
import { xstateOf } from '../diagram/xstate.ts';
import type { AnyProtocol } from '../transport/protocol.ts';
import { defineCommand } from './command.ts';
import { writeText } from './files.ts';
import { choice, value } from './flag.ts';
import { loadModule, MODULE } from './modules.ts';
import { readRecord } from './records.ts';

/** Each writes a protocol's machine down in its own way. */
const formats = {
  mermaid: ({ machine }: AnyProtocol, detail: Detail) => mermaidOf(machine, { detail }),
  async svg({ machine }: AnyProtocol, detail: Detail) {
    // Every command would start a quarter later for its libraries, which lay out and write XML.
    const { svgOf } = await import('../diagram/svg.ts');
    return svgOf(machine, { detail });
  },
  table: ({ table }: AnyProtocol) => tableOf(table, 'text'),
  markdown: ({ table }: AnyProtocol) => tableOf(table, 'markdown'),
  xstate: ({ machine }: AnyProtocol) => xstateOf(machine),
};

type Format = keyof typeof formats;

/** `wirechart diagram` */
export default defineCommand({
  help: 'draw the machine of a protocol, or write it as a table or as a file for Stately Studio',
  operands: { module: value('[module]', MODULE, { default: 'message-log' }) },
  flags: {
    format: choice<Format>('<format>', 'how', ['mermaid', 'svg', 'table', 'markdown', 'xstate'], 'mermaid'),
    detail: choice<Detail>(
      '<detail>',
      'every state, or an exchange as one step (mermaid, svg)',
      ['full', 'overview'],
      'full',
    ),
    dialogue: value('<file>', 'a dialogue that guard --record wrote down, in place of the machine (mermaid)'),
    output: value('<file>', 'write to this file (default: stdout)', { short: 'o' }),
  },
  async run({ module }, { format, detail, dialogue, output }) {
    const { protocol } = await loadModule(module);
    const drawn = dialogue === undefined ? await formats[format](protocol, detail) : drawnFrom(dialogue);
    const text = drawn.endsWith('\n') ? drawn : `${drawn}\n`;
    if (output === undefined) process.stdout.write(text);
    else writeText(output, text);
  },
});

function drawnFrom(path: string): string {
  const [begin, ...lines] = readRecord(path);
  const about = begin !== undefined && 'peer' in begin ? `${begin.protocol}, ${begin.peer}` : path;
  return sequenceOf(
    about,
    lines.flatMap((line) => ('peer' in line ? [] : [line])),
  );
}
