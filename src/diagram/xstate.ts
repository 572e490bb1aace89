import type { AnyStateMachine, AnyStateNode } from 'xstate';

/** A state of a machine's config, in the parts that say order: plain values only. */
export type PlainConfig = {
  id?: string;
  type?: 'parallel' | 'final';
  description?: string;
  tags?: string[];
  meta?: Record<string, unknown>;
  initial?: string;
  on?: Record<string, PlainTransition | PlainTransition[]>;
  states?: Record<string, PlainConfig>;
};

/** A target by itself where nothing else is to be said. */
export type PlainTransition =
  | string
  | { target?: string | string[]; reenter?: boolean; description?: string };

/**
 * The machine's order as a config of plain values, from which `createMachine` makes a machine that takes the same events.
 *
 * @throws TypeError when the machine does more than order (guards, actions, invoke, always, after, history): leaving that
 *   out in silence would make it another machine.
 */
export function configOf(machine: AnyStateMachine): PlainConfig {
  return stateConfig(machine.root);
}

/** TypeScript source of the machine, as Stately Studio imports it: one `createMachine` call, nothing else needed. */
export function xstateOf(machine: AnyStateMachine): string {
  const config = literal(configOf(machine), '');
  return `import { createMachine } from 'xstate';\n\nexport const machine = createMachine(${config});\n`;
}

function stateConfig(node: AnyStateNode): PlainConfig {
  refuseMore(node);
  const on = [...node.transitions].map(([event, transitions]) => {
    const plain = transitions.map((transition): PlainTransition => {
      const targets = transition.target?.map((target: AnyStateNode) => referenceTo(target, node)) ?? [];
      const [only, ...others] = targets;
      const { reenter, description } = transition;
      if (only !== undefined && others.length === 0 && !reenter && description === undefined) return only;
      return {
        ...(only !== undefined && { target: others.length === 0 ? only : targets }),
        ...(reenter && { reenter }),
        ...(description !== undefined && { description }),
      };
    });
    const [first, ...others] = plain;
    return [event, first !== undefined && others.length === 0 ? first : plain] as const;
  });
  const children: AnyStateNode[] = Object.values(node.states);
  const ownId = node.parent === undefined || node.id !== [node.machine.id, ...node.path].join('.');
  return {
    ...(ownId && { id: node.id }),
    ...((node.type === 'parallel' || node.type === 'final') && { type: node.type }),
    ...(node.description !== undefined && { description: node.description }),
    ...(node.tags.length > 0 && { tags: [...node.tags] }),
    ...(node.meta !== undefined && { meta: node.meta }),
    ...(node.type === 'compound' && { initial: node.initial.target.map(({ key }) => key)[0] ?? '' }),
    ...(on.length > 0 && { on: Object.fromEntries(on) }),
    ...(children.length > 0 && {
      states: Object.fromEntries(children.map((child) => [child.key, stateConfig(child)])),
    }),
  };
}

/** The shortest spelling that XState resolves to this state: a sibling's key, a child's `.key`, or `#id`. */
function referenceTo(target: AnyStateNode, from: AnyStateNode): string {
  if (target.parent === from) return `.${target.key}`;
  if (target.parent !== undefined && target.parent === from.parent) return target.key;
  return `#${target.id}`;
}

function refuseMore(node: AnyStateNode): void {
  const transitions = [...node.transitions.values()].flat();
  const more = [
    [node.type === 'history', 'history'],
    [node.always !== undefined && node.always.length > 0, 'always'],
    [node.after.length > 0, 'after'],
    [node.invoke.length > 0, 'invoke'],
    [node.entry.length + node.exit.length > 0, 'entry or exit actions'],
    [transitions.some(({ guard }) => guard !== undefined), 'guards'],
    [transitions.some(({ actions }) => actions.length > 0), 'actions'],
  ] as const;
  for (const [found, feature] of more) {
    if (!found) continue;
    const where = node.path.join('.') || '(root)';
    throw new TypeError(
      `${node.machine.id}: state ${where}: ${feature} cannot be written as order; remove them`,
    );
  }
}

/** A value as a JavaScript literal, keys bare where they may be. */
function literal(value: unknown, margin: string): string {
  const deeper = `${margin}  `;
  if (Array.isArray(value)) return `[${value.map((item) => literal(item, deeper)).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, inner]) => {
      const name = /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
      return `${deeper}${name}: ${literal(inner, deeper)},\n`;
    });
    return entries.length === 0 ? '{}' : `{\n${entries.join('')}${margin}}`;
  }
  return JSON.stringify(value) ?? 'undefined';
}
