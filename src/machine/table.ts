import { adjacencyMapToArray, getAdjacencyMap, getShortestPaths } from '@xstate/graph';
import type {
  ActorLogic,
  AnyMachineSnapshot,
  AnyStateMachine,
  AnyStateNode,
  EventObject,
  StateValue,
} from 'xstate';
import { checkDialect, DialectError, TRANSPORT_EVENTS } from './dialect.ts';

/** What {@link Table.next} holds where an event is refused. */
export const REFUSED = -1;

const MOST_STATES = 4096;

/**
 * The order of a protocol, explored once: state × event → next state. States and events are numbered; the
 * numbers index `states`, `events` and the arrays beside them.
 */
export interface Table {
  /** Names of the reachable states: `C`, `N.awaiting`; of a parallel one `registered(sending.idle, delivering.idle)`. */
  readonly states: readonly string[];
  /** The top-level state that each state belongs to: `N` for `N.awaiting`. */
  readonly tops: readonly string[];
  /** Paths of the machine's states that are active in each state, outer ones first: `N`, `N.awaiting`. */
  readonly nodes: readonly (readonly string[])[];
  /** Every event the machine names, transport events first, messages sorted by name. */
  readonly events: readonly string[];
  /** `next[state * events.length + event]`: the state after it, or {@link REFUSED}. */
  readonly next: Int16Array;
  /** Number of the state before `transport.accept`. */
  readonly initial: number;
  /** 1 where the dialogue is over. */
  readonly final: Uint8Array;
  /** 1 where the server owes the next message (tag `server`): the server's input waits. */
  readonly serverOwes: Uint8Array;
  /** 1 where the client owes a message (tag `client`). */
  readonly clientOwes: Uint8Array;
  /** 1 where the peers are still introducing themselves (tag `handshake`). */
  readonly handshake: Uint8Array;
  /** Of each state, the clauses of the protocol document (`meta.clause`) that bear on it. */
  readonly clauses: readonly (readonly string[])[];
  /** Of each state, a shortest sequence of events (numbers) that leads to it. */
  readonly paths: readonly (readonly number[])[];
}

/** The state after `event` in `state`, or {@link REFUSED}. */
export function step(table: Table, state: number, event: number): number {
  return table.next[state * table.events.length + event] ?? REFUSED;
}

/** Names of the events that are legal in `state`, by who causes them. */
export function legalEvents(
  table: Table,
  state: number,
  sender: 'client' | 'server' | 'transport',
): readonly string[] {
  return table.events.filter(
    (event, number) => event.startsWith(`${sender}.`) && step(table, state, number) !== REFUSED,
  );
}

/**
 * Explores a machine into its table with `@xstate/graph`.
 *
 * @param more messages that are legal nowhere, where the machine does not name them.
 *
 * @throws DialectError when the machine says more than order, or when one of its states cannot be reached.
 */
export function exploreMachine(machine: AnyStateMachine, more: readonly string[] = []): Table {
  checkDialect(machine);
  const messages = machine.events.filter((event) => !event.includes('xstate.') && !isTransport(event));
  const events: string[] = [...TRANSPORT_EVENTS, ...new Set([...messages, ...more].sort())];
  // The default serializer includes the context and the children; the value alone is the order.
  const traversal = {
    events: events.map((type) => ({ type })),
    serializeState: (snapshot: AnyMachineSnapshot) => keyOf(snapshot.value),
    serializeEvent: (event: EventObject) => event.type,
    // Nothing is sent to a machine that is done.
    stopWhen: isFinal,
    limit: MOST_STATES * events.length,
  };
  const logic: ActorLogic<AnyMachineSnapshot, EventObject, undefined> = machine;
  const adjacency = adjacencyWithin(machine.id, () => getAdjacencyMap(logic, traversal));
  const explored = getShortestPaths(logic, traversal).sort((one, other) =>
    compareOrder(one.state, other.state),
  );
  const states = explored.map(({ state }) => state);
  const numberOf = new Map(states.map((state, number) => [keyOf(state.value), number]));
  const paths = explored.map(({ steps }) =>
    steps.map(({ event }) => events.indexOf(event.type)).filter((event) => event >= 0),
  );
  const next = new Int16Array(states.length * events.length).fill(REFUSED);
  for (const { state, event, nextState } of adjacencyMapToArray(adjacency)) {
    // An illegal event leaves the state as it is, just as a legal self-loop does: `can` tells them apart.
    if (!state.can(event)) continue;
    const [from, to] = [numberOf.get(keyOf(state.value)), numberOf.get(keyOf(nextState.value))];
    if (from !== undefined && to !== undefined) next[from * events.length + events.indexOf(event.type)] = to;
  }
  for (const state of states.filter(isFinal)) refuseToGoOn(state, events, machine.id);
  refuseUnreachable(machine.root, reachedNodes(states), machine.id);
  return {
    states: states.map((state) => nameOf(state.value)),
    tops: states.map((state) => topOf(state.value)),
    nodes: states.map(pathsOf),
    events,
    next,
    initial: paths.findIndex((path) => path.length === 0),
    final: Uint8Array.from(states, (state) => Number(isFinal(state))),
    serverOwes: Uint8Array.from(states, (state) => Number(state.hasTag('server'))),
    clientOwes: Uint8Array.from(states, (state) => Number(state.hasTag('client'))),
    handshake: Uint8Array.from(states, (state) => Number(state.hasTag('handshake'))),
    clauses: states.map(clausesOf),
    paths,
  };
}

/** Done, or at rest in final states alone: nothing can follow. */
function isFinal(state: AnyMachineSnapshot): boolean {
  const leaves = state._nodes.filter((node) => Object.keys(node.states).length === 0);
  return state.status !== 'active' || leaves.every((node) => node.type === 'final');
}

function keyOf(value: StateValue): string {
  return JSON.stringify(value);
}

/** A machine that is done takes nothing more, whatever `can` says; one that rests in a nested final state would. */
function refuseToGoOn(state: AnyMachineSnapshot, events: readonly string[], machine: string): void {
  const event = events.find((type) => state.status === 'active' && state.can({ type }));
  if (event === undefined) return;
  throw new DialectError(
    machine,
    nameOf(state.value),
    `on '${event}'`,
    'a final state takes nothing more; let the states before it handle the event, not their parent',
  );
}

function adjacencyWithin<T>(machine: string, explore: () => T): T {
  try {
    return explore();
  } catch (error) {
    if (!(error instanceof Error) || error.message !== 'Traversal limit exceeded') throw error;
    throw new DialectError(
      machine,
      '(root)',
      `more than ${MOST_STATES} states`,
      'regions of a parallel state multiply; keep what is not order out of the machine',
    );
  }
}

/** As they stand in the machine, from its first line to its last. */
function compareOrder(one: AnyMachineSnapshot, other: AnyMachineSnapshot): number {
  const [first, second] = [one, other].map((snapshot) =>
    snapshot._nodes.map((node) => node.order).sort((a, b) => a - b),
  );
  for (const [index, order] of (first ?? []).entries()) {
    const difference = order - (second?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function isTransport(event: string): boolean {
  return TRANSPORT_EVENTS.some((known) => known === event);
}

/** State nodes in which the machine rests, and the final ones that `onDone` leaves in the same step. */
function reachedNodes(states: readonly AnyMachineSnapshot[]): Set<AnyStateNode> {
  const active = new Set<AnyStateNode>(states.flatMap((state) => state._nodes));
  const targets = [...active].flatMap((node) =>
    [...node.transitions.values()].flat().flatMap((transition) => transition.target ?? []),
  );
  return new Set([...active, ...targets.filter((target) => target.type === 'final')]);
}

function refuseUnreachable(node: AnyStateNode, active: Set<AnyStateNode>, machine: string): void {
  for (const child of Object.values(node.states)) {
    if (!active.has(child)) {
      throw new DialectError(
        machine,
        child.path.join('.'),
        'unreachable',
        'no sequence of events leads here; add the transition or delete the state',
      );
    }
    refuseUnreachable(child, active, machine);
  }
}

function nameOf(value: StateValue): string {
  if (typeof value === 'string') return value;
  const parts = Object.entries(value).map(([key, child]) =>
    child === undefined || Object.keys(child).length === 0 ? key : join(key, nameOf(child)),
  );
  return parts.length === 1 ? (parts[0] ?? '') : `(${parts.join(', ')})`;
}

function join(parent: string, child: string): string {
  return child.startsWith('(') ? `${parent}${child}` : `${parent}.${child}`;
}

function topOf(value: StateValue): string {
  if (typeof value === 'string') return value;
  return Object.keys(value).join('+');
}

function pathsOf({ _nodes }: AnyMachineSnapshot): readonly string[] {
  const inside = _nodes.filter(({ path }) => path.length > 0).sort((a, b) => a.path.length - b.path.length);
  return inside.map(({ path }) => path.join('.'));
}

function clausesOf(snapshot: AnyMachineSnapshot): readonly string[] {
  return snapshot._nodes.flatMap((node) => {
    const clause: unknown = node.meta?.clause;
    return typeof clause === 'string' ? [clause] : [];
  });
}
