import { chartOf, statesOf } from '../src/diagram/chart.ts';
import { mermaidOf, tableOf } from '../src/diagram/index.ts';
import { RemoteError } from '../src/transport/errors.ts';
import type { Frame } from '../src/transport/frame.ts';
import type { AnyRefusalRule, Protocol } from '../src/transport/protocol.ts';

/** What a page is made of: nothing that the declaration of a protocol does not say. */
type Documented = Pick<
  Protocol,
  'name' | 'port' | 'machine' | 'table' | 'decoder' | 'timeout' | 'failure' | 'pipelinedEvent' | 'unchecked'
> & {
  readonly frames: Readonly<Record<string, Frame>>;
  readonly violation: AnyRefusalRule;
  readonly malformed: AnyRefusalRule;
  readonly unreadable: Pick<AnyRefusalRule, 'reply'>;
};

/**
 * The page of one protocol in Markdown: pictures, frames, states, order and verdicts, all read from its declaration.
 *
 * @param notes what a person wrote about it, from `docs/notes`; stands at the end.
 */
export function protocolPage(protocol: Documented, notes: string): string {
  const { name, machine } = protocol;
  const sections = [
    '<!-- Generated from the declaration by `npm run docs:protocols`. Edit that, or docs/notes. -->',
    `# ${name}`,
    machine.root.description ?? '',
    `Port ${protocol.port} unless another is given. Declared in ` +
      `[\`src/protocols/${name}/machine.ts\`](../../src/protocols/${name}/machine.ts) (order) and ` +
      `[\`src/protocols/${name}/protocol.ts\`](../../src/protocols/${name}/protocol.ts) (frames); the same order was written by hand from ` +
      `the protocol document, clause by clause, in [\`test/tables/${name}.md\`](../../test/tables/${name}.md), and a test ` +
      'holds the two together.',
    `![The statechart of ${name}](../images/${name}.svg)`,
    'An arrow of this picture is a whole exchange. Every state by itself:',
    `\`\`\`mermaid\n${mermaidOf(machine)}\`\`\``,
    '## Frames',
    frames(protocol),
    '## States',
    'Whose message is due decides who may speak: while the server owes one, further input waits.',
    states(protocol),
    '## Order',
    'What each state does with each event: the state after it, or `·` where it is refused. The connections of server and ' +
      'client look up this very table.',
    tableOf(protocol.table, 'markdown').trimEnd(),
    '## Who breaks the rules',
    verdicts(protocol),
    ...(notes === '' ? [] : [notes.trimEnd()]),
  ];
  return `${sections.join('\n\n')}\n`;
}

function frames({ frames }: Documented): string {
  const rows = Object.entries(frames).map(([type, frame]) => [
    code(type),
    sizeOf(frame),
    frame.says + (frame.otherwise ? '. Takes what no other takes.' : ''),
  ]);
  return tableIn(['message', 'bytes', 'on the wire'], rows);
}

function sizeOf({ minimum, maximum }: Frame): string {
  return minimum === maximum ? `${minimum}` : `${minimum}..${maximum}`;
}

function states({ machine }: Documented): string {
  const rows = statesOf(chartOf(machine)).map(({ id, kind, owes = '', description = '', clause = '' }) => [
    code(id),
    description,
    kind === 'final' ? 'over' : owes,
    clause,
  ]);
  return tableIn(['state', 'what it is', 'whose message is due', 'clause of the protocol document'], rows);
}

function verdicts(protocol: Documented): string {
  const rows = [
    ['violation', 'a known message at the wrong moment', ...verdictOf(protocol.violation, 'violation')],
    [
      'malformed',
      'a frame with a field that cannot be decoded',
      ...verdictOf(protocol.malformed, 'malformed'),
    ],
    [
      'unreadable',
      'bytes after which no frame can be found',
      ...verdictOf({ ...protocol.unreadable, closes: true }, 'unreadable'),
    ],
    ['timeout', 'too long without a message', said(protocol.timeout?.()), 'closed'],
    ['failure', 'a handler of the server failed', said(protocol.failure?.()), 'closed'],
  ];
  const hoped = protocol.table.events[protocol.pipelinedEvent];
  const ahead =
    hoped === undefined
      ? 'A client waits for each answer before it sends what only that answer allows.'
      : `A client may send ahead, in the hope that each of its messages is answered with ${code(hoped)}.`;
  const unchecked = protocol.unchecked.map((what) => `\n\nNot checked: ${what}.`).join('');
  return `${tableIn(['case', 'what it is', 'the server says', 'then'], rows)}\n\n${ahead}${unchecked}`;
}

function verdictOf({ reply, closes }: AnyRefusalRule, refusal: RemoteError['code']): [string, string] {
  const error = new RemoteError({
    code: refusal,
    state: 'STATE',
    received: 'client.MESSAGE',
    expected: ['client.OTHER'],
    fault: undefined,
    clauses: [],
    closes,
  });
  return [said(reply?.(error)), closes ? 'closed' : 'goes on in the same state'];
}

function said(message: { readonly type: string } | undefined): string {
  return message === undefined ? 'nothing' : code(message.type);
}

function tableIn(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}
