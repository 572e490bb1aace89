import type { AnyStateMachine } from 'xstate';
import { type ChartState, chartOf, isWithin, statesOf } from './chart.ts';
import { type Arrow, type Detail, viewOf } from './view.ts';

/**
 * Writes a machine as a Mermaid `stateDiagram-v2`, as GitHub draws it between ```` ```mermaid ```` fences. Ends in a
 * newline; the same text for the same machine.
 *
 * @param options.detail `full` (default) or `overview`: see {@link Detail}.
 */
export function mermaidOf(machine: AnyStateMachine, options: { detail?: Detail } = {}): string {
  const chart = chartOf(machine);
  const { root, arrows } = viewOf(chart, options.detail);
  const states = statesOf({ ...chart, root });
  const name = namesOf(states);
  // Mermaid wants an arrow between two composites outside both, and any other one in the composite around its ends.
  const holders = [root, ...states].map(({ id }) => id);
  const holderOf = ({ from, to }: Arrow): string =>
    holders.filter((id) => id !== from && id !== to && isWithin(from, id) && isWithin(to, id)).at(-1) ?? '';

  const lines = (state: ChartState): string[] => {
    const initial = state.initial === undefined ? [] : [`[*] --> ${name(state.initial)}`];
    const blocks = state.states.map((child) => [
      ...declared(child),
      ...(child.kind === 'final' ? [`${name(child.id)} --> [*]`] : []),
    ]);
    const between = arrows
      .filter((arrow) => arrow.from !== '' && holderOf(arrow) === state.id)
      .map(({ from, to, labels }) => `${name(from)} --> ${name(to)} : ${textOf(labels)}`);
    const regions =
      state.kind === 'parallel' ? blocks.map((block, nth) => (nth > 0 ? ['--', ...block] : block)) : blocks;
    return [...initial, ...regions.flat(), ...between];
  };
  const declared = (state: ChartState): string[] => {
    const owes = state.owes === undefined ? '' : ` (${state.owes} owes)`;
    const words = [state.label + owes, state.description].filter(Boolean).join(': ');
    const line = `state "${escaped(words)}" as ${name(state.id)}`;
    return state.states.length === 0 ? [line] : [`${line} {`, ...lines(state).map(indent), '}'];
  };

  const fromAny = arrows
    .filter(({ from }) => from === '')
    .map(({ to, labels }) => `${ANY_STATE} --> ${name(to)} : ${textOf(labels)}`);
  const any = fromAny.length === 0 ? [] : [`state "any state" as ${ANY_STATE}`, ...fromAny];
  const owing = (['client', 'server'] as const).flatMap((party) => {
    const ids = states
      .filter(({ owes, states }) => owes === party && states.length === 0)
      .map(({ id }) => name(id));
    const colour = { client: '#0a58ca', server: '#b35900' }[party];
    return ids.length === 0
      ? []
      : [`classDef ${party} stroke:${colour},stroke-width:2px`, `class ${ids.join(', ')} ${party}`];
  });
  return `${['stateDiagram-v2', ...[...lines(root), ...any, ...owing].map(indent)].join('\n')}\n`;
}

const ANY_STATE = 'any_state';

/** Words that Mermaid takes for its own at the beginning of a statement. */
const RESERVED = new Set(
  'state end note as class classDef style click href default direction scale hide title accTitle accDescr'
    .split(' ')
    .map((word) => word.toLowerCase()),
);

/** An id for each state: its path with underscores, made different where Mermaid or another state has that name. */
function namesOf(states: ChartState[]): (id: string) => string {
  const names = new Map<string, string>();
  const used = new Set([ANY_STATE]);
  for (const { id } of states) {
    let name = id.replace(/[^A-Za-z0-9_]/g, '_');
    if (RESERVED.has(name.toLowerCase()) || !/^[A-Za-z]/.test(name)) name = `s_${name}`;
    while (used.has(name)) name = `${name}_`;
    used.add(name);
    names.set(id, name);
  }
  return (id) => names.get(id) ?? id;
}

function textOf(labels: Arrow['labels']): string {
  return labels.map((label) => escaped(label.map(({ event }) => event).join(', '))).join('<br/>');
}

/** Mermaid's own entities, `#58;`, for all that could end a label or be taken for markup. */
function escaped(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/["#;<>{}&\\`:]/g, (character) => `#${character.charCodeAt(0)};`);
}

function indent(line: string): string {
  return `  ${line}`;
}
