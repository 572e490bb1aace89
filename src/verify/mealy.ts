/**
 * A deterministic, complete Mealy machine: in every state every input has one output and one next state.
 * It is what a tester can know of an implementation: what was sent, what came back.
 *
 * States, inputs and outputs are numbers, indices into the lists of their names; a *word* is a sequence of inputs.
 */
export interface Mealy {
  /** Names, distinct and without `/`, which joins them in the id of a test. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly states: readonly string[];
  /** Where every test begins; connecting again is the reset. */
  readonly initial: number;
  /** `next[state * inputs.length + input]` is a state. The row of a closed state is never read. */
  readonly next: Int32Array;
  /** `output[state * inputs.length + input]` is an output. The row of a closed state is never read. */
  readonly output: Int32Array;
  /**
   * `closed[state]`: the peer has closed, and nothing after that can be observed. That it closed *is* observed, so
   * an output that leads to a closed state never leads to an open one. Default: no state is closed.
   */
  readonly closed?: readonly boolean[];
}

/** Inputs, by number, in the order in which they are sent. */
export type Word = readonly number[];

/** What a machine does on a word: `states` has one entry more than `outputs`, and both end where it closes. */
export interface Trace {
  readonly states: readonly number[];
  readonly outputs: readonly number[];
}

/** A machine in words, as {@link mealyOf} takes it. */
export interface MealyDeclaration {
  readonly inputs: readonly string[];
  readonly initial: string;
  /** Names of the closed states; `step` is never asked about them. */
  readonly closed?: readonly string[];
  /** What a state answers to an input, and where that leads. */
  readonly step: (state: string, input: string) => readonly [output: string, next: string];
}

/**
 * Explores a declaration from its initial state: states and outputs are numbered as they are met, breadth first.
 *
 * @throws TypeError as {@link checkMealy} does.
 */
export function mealyOf({ inputs, initial, closed = [], step }: MealyDeclaration): Mealy {
  const states = [initial];
  const outputs: string[] = [];
  const next: number[] = [];
  const output: number[] = [];
  for (let state = 0; state < states.length; state++) {
    const name = states[state] ?? initial;
    for (const input of inputs) {
      const [reply, successor] = closed.includes(name) ? [undefined, name] : step(name, input);
      next.push(number(states, successor));
      output.push(reply === undefined ? -1 : number(outputs, reply));
    }
  }
  const mealy: Mealy = {
    inputs,
    outputs,
    states,
    initial: 0,
    next: Int32Array.from(next),
    output: Int32Array.from(output),
    closed: states.map((name) => closed.includes(name)),
  };
  checkMealy(mealy);
  return mealy;
}

/** The place of `name` in `names`, where it is put if it is new. */
function number(names: string[], name: string): number {
  const known = names.indexOf(name);
  return known >= 0 ? known : names.push(name) - 1;
}

/** Has the peer closed in this state? */
export function isClosed(mealy: Mealy, state: number): boolean {
  return mealy.closed?.[state] ?? false;
}

/** The state after `input`. Meaningless in a closed state. */
export function nextState(mealy: Mealy, state: number, input: number): number {
  return mealy.next[state * mealy.inputs.length + input] ?? -1;
}

/** The output on `input`. Meaningless in a closed state. */
export function outputOn(mealy: Mealy, state: number, input: number): number {
  return mealy.output[state * mealy.inputs.length + input] ?? -1;
}

/** Runs `word` from `from` (default: the initial state), to its end or until the machine closes. */
export function trace(mealy: Mealy, word: Word, from: number = mealy.initial): Trace {
  const states = [from];
  const outputs: number[] = [];
  let state = from;
  for (const input of word) {
    if (isClosed(mealy, state)) break;
    outputs.push(outputOn(mealy, state, input));
    state = nextState(mealy, state, input);
    states.push(state);
  }
  return { states, outputs };
}

/**
 * Holds a machine to what the interface promises.
 *
 * @throws TypeError naming the state, input or output at fault.
 */
export function checkMealy(mealy: Mealy): void {
  const { inputs, outputs, states } = mealy;
  const repeated = inputs.find((name, index) => inputs.indexOf(name) !== index);
  if (repeated !== undefined) throw new TypeError(`input "${repeated}" is declared twice`);
  const unnamed = inputs.find((name) => name === '' || name.includes('/'));
  if (unnamed !== undefined) throw new TypeError(`input "${unnamed}": a name is not empty and holds no "/"`);
  if (states[mealy.initial] === undefined)
    throw new TypeError(`initial state ${mealy.initial} does not exist`);
  if (isClosed(mealy, mealy.initial) || inputs.length === 0) throw new TypeError('there is nothing to send');

  const closes = new Map<number, boolean>();
  for (const [state, name] of states.entries()) {
    if (isClosed(mealy, state)) continue;
    for (const [input, sent] of inputs.entries()) {
      const output = outputOn(mealy, state, input);
      const next = nextState(mealy, state, input);
      if (outputs[output] === undefined) throw new TypeError(`state "${name}" has no output on "${sent}"`);
      if (states[next] === undefined) throw new TypeError(`state "${name}" has no next state on "${sent}"`);
      if ((closes.get(output) ?? isClosed(mealy, next)) !== isClosed(mealy, next)) {
        throw new TypeError(
          `output "${outputs[output]}" closes in one place and not in another (state "${name}", input "${sent}"): ` +
            'a close is observed, so give the two outputs two names',
        );
      }
      closes.set(output, isClosed(mealy, next));
    }
  }
}
