import type { AnyStateMachine, AnyStateNode } from 'xstate';

/** The three things a transport can tell a machine; everything else a machine takes is a message. */
export const TRANSPORT_EVENTS = ['transport.accept', 'transport.end', 'transport.timeout'] as const;

const MESSAGE = /^(client|server)\.[A-Z][A-Z0-9_]*$/;

/**
 * A machine uses a feature of XState that a finite table of order cannot hold.
 *
 * The dialect: states (compound, parallel, final), `on` with one target for an event, `tags`, `meta`,
 * `description`. Everything else either does something (actions, invoke), asks something (guards, context)
 * or happens by itself (always, after), and a table of order can do none of these.
 */
export class DialectError extends Error {
  override readonly name = 'DialectError';
  /** The machine's id. */
  readonly machine: string;
  /** Path of the state at fault, `N.awaiting`; `(root)` for the machine itself. */
  readonly state: string;
  /** The feature at fault, as it is spelt in the machine. */
  readonly feature: string;

  constructor(machine: string, state: string, feature: string, wayOut: string) {
    super(`${machine}: state ${state}: ${feature}: ${wayOut}`);
    this.machine = machine;
    this.state = state;
    this.feature = feature;
  }
}

/**
 * Refuses a machine that says more than order.
 *
 * @throws DialectError naming the state, the feature and the way out.
 */
export function checkDialect(machine: AnyStateMachine): void {
  if (machine.config.context !== undefined) {
    throw new DialectError(
      machine.id,
      '(root)',
      'context',
      'a table has no variables; keep values in the handlers and order in states',
    );
  }
  checkState(machine.root, machine.id);
}

function checkState(node: AnyStateNode, machine: string): void {
  const path = node.path.join('.') || '(root)';
  const refuse = (feature: string, wayOut: string): never => {
    throw new DialectError(machine, path, feature, wayOut);
  };
  if (node.type === 'history') {
    refuse('history', 'the past must be visible as a state of its own; name the states instead');
  }
  if (node.config.always !== undefined) {
    refuse('always', 'let the event that leads here target the state after it');
  }
  if (node.config.after !== undefined) {
    refuse('after', 'time comes from outside: use transport.timeout');
  }
  if (node.config.invoke !== undefined) {
    refuse('invoke', 'work belongs to a handler, its outcome is a message of the server');
  }
  for (const [feature, actions] of [
    ['entry', node.config.entry],
    ['exit', node.config.exit],
  ] as const) {
    if (actions !== undefined) refuse(feature, 'what a message does belongs to its handler');
  }
  for (const [event, transitions] of node.transitions) {
    if (event.startsWith('xstate.')) continue;
    if (event.includes('*')) {
      refuse(`on '${event}'`, 'name each event: a wildcard would accept what the protocol does not know');
    }
    if (!MESSAGE.test(event) && !TRANSPORT_EVENTS.some((known) => known === event)) {
      refuse(
        `on '${event}'`,
        `an event is client.NAME, server.NAME or one of ${TRANSPORT_EVENTS.join(', ')}`,
      );
    }
    if (transitions.length > 1) {
      refuse(`on '${event}'`, 'only the first of several transitions can ever be taken; keep one');
    }
    for (const transition of transitions) {
      if (transition.guard !== undefined) {
        refuse(`on '${event}': guard`, 'content is judged by a handler; make each outcome a server message');
      }
      if (transition.actions.length > 0) {
        refuse(`on '${event}': actions`, 'what a message does belongs to its handler');
      }
    }
  }
  for (const child of Object.values(node.states)) checkState(child, machine);
}
