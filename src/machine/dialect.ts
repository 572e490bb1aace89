import type { AnyStateMachine, AnyStateNode } from 'xstate';

/** The three things a transport can tell a machine; everything else a machine takes is a message. */
export const TRANSPORT_EVENTS = ['transport.accept', 'transport.end', 'transport.timeout'] as const;

const MESSAGE = /^(client|server)\.[A-Z][A-Z0-9_]*$/;

/**
 * A machine uses a feature of XState that a finite table of order cannot hold.
 *
 * The dialect: states (compound, parallel, final), `on` with one transition for an event, `onDone`, `tags`,
 * `meta`, `description`. Everything else either does something (actions, invoke), asks something (guards, context)
 * or happens by itself (always, after), and a table of order can do none of these.
 */
export class DialectError extends Error {
  override readonly name = 'DialectError';
  readonly code = 'dialect';
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
  checkState(machine.root, machine.id);
}

/** What a state may say; the rest of XState's vocabulary is in `WAYS_OUT`, or unknown. */
const WORDS = ['id', 'initial', 'type', 'states', 'on', 'onDone', 'tags', 'meta', 'description', 'order'];
/** What the machine itself may say besides: for people and for the compiler. */
const ROOT_WORDS = ['version', 'types', 'schemas'];

const BELONGS_TO_HANDLER = 'what a message does belongs to its handler';
const WAYS_OUT: Readonly<Record<string, string>> = {
  always: 'let the event that leads here target the state after it',
  after: 'time comes from outside: use transport.timeout',
  invoke: 'work belongs to a handler, its outcome is a message of the server',
  entry: BELONGS_TO_HANDLER,
  exit: BELONGS_TO_HANDLER,
  context: 'a table has no variables; keep values in the handlers and order in states',
  output: 'a dialogue yields no value; what it did belongs to the handlers',
  route: 'a state is reached by a message; write the transition that leads here',
};

function checkState(node: AnyStateNode, machine: string): void {
  const path = node.path.join('.') || '(root)';
  const refuse = (feature: string, wayOut: string): never => {
    throw new DialectError(machine, path, feature, wayOut);
  };
  if (node.type === 'history') {
    refuse('history', 'the past must be visible as a state of its own; name the states instead');
  }
  const words = node.parent === undefined ? [...WORDS, ...ROOT_WORDS] : WORDS;
  for (const [word, value] of Object.entries(node.config)) {
    if (value === undefined || words.includes(word)) continue;
    refuse(word, WAYS_OUT[word] ?? `a table of order knows ${words.join(', ')} only; leave it out`);
  }
  const { initial } = node.config;
  if (typeof initial === 'object' && initial.actions !== undefined)
    refuse('initial: actions', BELONGS_TO_HANDLER);
  for (const [event, transitions] of node.transitions) {
    const isDone = event.startsWith('xstate.done.state.');
    // What else XState makes up for itself comes of words that are refused where they stand.
    if (event.startsWith('xstate.') && !isDone) continue;
    const feature = isDone ? 'onDone' : `on '${event}'`;
    if (!isDone) checkEvent(event, refuse);
    if (transitions.length > 1) {
      refuse(feature, 'only the first of several transitions can ever be taken; keep one');
    }
    for (const transition of transitions) {
      if (transition.guard !== undefined) {
        refuse(`${feature}: guard`, 'content is judged by a handler; make each outcome a server message');
      }
      if (transition.actions.length > 0) refuse(`${feature}: actions`, BELONGS_TO_HANDLER);
    }
  }
  for (const child of Object.values(node.states)) checkState(child, machine);
}

function checkEvent(event: string, refuse: (feature: string, wayOut: string) => never): void {
  if (event.includes('*')) {
    refuse(`on '${event}'`, 'name each event: a wildcard would accept what the protocol does not know');
  }
  if (!MESSAGE.test(event) && !TRANSPORT_EVENTS.some((known) => known === event)) {
    refuse(`on '${event}'`, `an event is client.NAME, server.NAME or one of ${TRANSPORT_EVENTS.join(', ')}`);
  }
}
