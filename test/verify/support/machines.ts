import fc from 'fast-check';
import type { Mealy } from '../../../src/verify/mealy.ts';
import { minimise } from '../../../src/verify/minimise.ts';

/** The size of a small machine: open states, inputs, outputs that do not close; `closing` adds one that does. */
export interface Shape {
  readonly states: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly closing: boolean;
}

/** What one transition can be in a machine of a shape; a machine is one such number for each state and input. */
export function cellsOf({ states, outputs, closing }: Shape): number {
  return states * outputs + (closing ? 1 : 0);
}

/** The machine with these transitions. Its states are s0, s1, ... and, if it can close, X. */
export function machineOf(shape: Shape, cells: readonly number[]): Mealy {
  const { states, inputs, outputs, closing } = shape;
  const open = states * outputs;
  return {
    inputs: names('abcd', inputs),
    outputs: [...names('0123', outputs), 'close'],
    states: [...Array(states).keys()].map((state) => `s${state}`).concat(closing ? ['X'] : []),
    initial: 0,
    next: Int32Array.from(cells, (cell) => (cell === open ? states : cell % states)),
    output: Int32Array.from(cells, (cell) => Math.floor(cell / states)),
    closed: [...Array(states).fill(false), ...(closing ? [true] : [])],
  };
}

const names = (letters: string, count: number) => [...letters].slice(0, count);

/** Number of machines of a shape. */
export function countOf(shape: Shape): bigint {
  return BigInt(cellsOf(shape)) ** BigInt(shape.states * shape.inputs);
}

/** Machine number `index` of a shape. */
export function machineAt(shape: Shape, index: number): Mealy {
  const base = cellsOf(shape);
  const cell = (_: unknown, place: number) => Math.floor(index / base ** place) % base;
  return machineOf(shape, Array.from({ length: shape.states * shape.inputs }, cell));
}

/** Every machine of a shape (or every so many-th of them) in which no state is superfluous. */
export function* everyMachine(shape: Shape, stride = 1): Iterable<Mealy> {
  for (let index = 0; index < countOf(shape); index += stride) {
    const mealy = machineAt(shape, index);
    if (isMinimal(mealy)) yield mealy;
  }
}

/** Has the machine as many open states as declared: all reachable, no two alike? */
export function isMinimal(mealy: Mealy): boolean {
  const { alike, unreachable } = minimise(mealy);
  return alike.length === 0 && unreachable.every((state) => state === 'X');
}

/** Random machines of a shape. */
export function machines(shape: Shape): fc.Arbitrary<Mealy> {
  const cell = fc.nat({ max: cellsOf(shape) - 1 });
  const count = shape.states * shape.inputs;
  return fc.array(cell, { minLength: count, maxLength: count }).map((cells) => machineOf(shape, cells));
}

/** Random machines of a shape in which no state is superfluous. */
export function minimalMachines(shape: Shape): fc.Arbitrary<Mealy> {
  return machines(shape).filter(isMinimal);
}
