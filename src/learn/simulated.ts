import { isClosed, type Mealy, nextState, outputOn } from '../verify/mealy.ts';
import type { System } from './system.ts';

/** A machine as a system: it answers what the machine says. */
export function simulated(mealy: Mealy): System {
  const inputs = new Map(mealy.inputs.map((name, input) => [name, input]));
  return {
    connect() {
      let state = mealy.initial;
      return {
        send(name) {
          const input = inputs.get(name);
          if (input === undefined) throw new RangeError(`no input "${name}"`);
          const output = mealy.outputs[outputOn(mealy, state, input)] ?? '';
          state = nextState(mealy, state, input);
          return { output, closes: isClosed(mealy, state) };
        },
      };
    },
  };
}
