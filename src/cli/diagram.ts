import { writeFileSync } from 'node:fs';
import { Argument, Command, Option } from 'commander';
import { mermaidOf } from '../diagram/mermaid.ts';
import { tableOf } from '../diagram/table.ts';
import type { Detail } from '../diagram/view.ts';
import { xstateOf } from '../diagram/xstate.ts';
import type { AnyProtocol } from '../transport/protocol.ts';
import { Failure } from './failure.ts';
import { loadProtocol } from './protocols.ts';

interface Options {
  readonly format: keyof typeof formats;
  readonly detail: Detail;
  readonly output?: string;
}

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
} as const;

/** `wirechart diagram` */
export function diagram(): Command {
  return new Command('diagram')
    .description('draw the machine of a protocol, or write it as a table or as a file for Stately Studio')
    .addArgument(
      new Argument('[protocol]', 'a name, or the path of a module of your own').default('message-log'),
    )
    .addOption(new Option('-f, --format <format>', 'how').choices(Object.keys(formats)).default('mermaid'))
    .addOption(
      new Option('--detail <detail>', 'every state, or an exchange as one step (mermaid, svg)')
        .choices(['full', 'overview'])
        .default('full'),
    )
    .option('-o, --output <file>', 'write to this file (default: stdout)')
    .action(async (name: string, { format, detail, output }: Options) => {
      const drawn = await formats[format](await loadProtocol(name), detail);
      const text = drawn.endsWith('\n') ? drawn : `${drawn}\n`;
      if (output === undefined) process.stdout.write(text);
      else write(output, text);
    });
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new Failure(`cannot write ${path}: ${error instanceof Error ? error.message : error}`);
  }
}
