import { isClosed, type Mealy, nextState, outputOn } from '../verify/mealy.ts';

/** A machine in Graphviz dot, as collections of learned models have them: an edge is labelled `input / output`. */
export function dotOf(mealy: Mealy): string {
  const quoted = (text: string) => `"${text.replaceAll('"', "'")}"`;
  const nameOf = (state: number) => quoted(mealy.states[state] ?? '');
  const edges = [...mealy.states.keys()].flatMap((state) =>
    isClosed(mealy, state)
      ? []
      : mealy.inputs.map((name, input) => {
          const label = quoted(`${name} / ${mealy.outputs[outputOn(mealy, state, input)] ?? ''}`);
          return `  ${nameOf(state)} -> ${nameOf(nextState(mealy, state, input))} [label=${label}];`;
        }),
  );
  const start = `  __start0 [label="" shape="none"];\n  __start0 -> ${nameOf(mealy.initial)};`;
  return `digraph g {\n${edges.join('\n')}\n${start}\n}\n`;
}
