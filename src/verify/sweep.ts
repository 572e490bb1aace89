import { REFUSED, step } from '../machine/table.ts';
import type { AnyProtocol } from '../transport/protocol.ts';
import { stateCover } from './identify.ts';
import { bytesInput, type Input, type InputKind, messageInputsOf, type SamplesOf, told } from './inputs.ts';
import type { Projection } from './project.ts';
import { isLine, readByServer, tellsByOneByte, terminatorOf } from './reading.ts';
import { type Test, testOf } from './suite.ts';

/**
 * Inputs beyond those of suites, tried once in every state that they concern: too many to be combined, and too good a
 * hiding place to be left out.
 *
 * Where the first byte tells frames apart, every one that no sample begins with: in front of a whole frame (`code:4d`),
 * since many servers read a length before they judge; in the place of the code that is most like it (`code:c1:nearest`), for
 * who looks at a part of it only; and alone in front of a message that would be out of order (`code:4d:alone`), for a door
 * that opens in silence. Where frames are words: in the wrong case, and too long.
 */
export function sweepOf(protocol: AnyProtocol, samples: SamplesOf = protocol.samples): readonly Input[] {
  // What keeps messages apart is no part of what they say.
  if (protocol.envelope !== undefined) return [];
  const plain = messageInputsOf(protocol, samples).filter(({ id, type }) => type === `client.${id}`);
  const words = told(protocol, plain);
  const isText = words.length > 0 && words.every((input) => isLine(bytesOf(protocol, input)));
  return isText ? wordInputs(protocol, words) : codeInputs(protocol, plain);
}

/** The tests that sweep one state. */
export interface Sweep {
  /** `NAME/*`: what leads to the state, and a star. */
  readonly id: string;
  readonly tests: readonly Test[];
}

/** Every state that can be reached, and there every swept input that concerns it. */
export function sweepsOf({ mealy, core, inputs, tableState }: Projection): readonly Sweep[] {
  const numbers = [...inputs.keys()].filter((number) => inputs[number]?.swept);
  return [...stateCover(core)].flatMap(([at, word]) => {
    const names = word.map((input) => core.inputs[input] ?? '');
    const state = tableState(mealy.states.indexOf(core.states[at] ?? ''));
    const tests = numbers
      .filter((number) => inputs[number]?.swept?.(state))
      .map((number) => testOf(mealy, [...names, inputs[number]?.id].join('/')));
    return tests.length === 0 ? [] : [{ id: [...names, '*'].join('/'), tests }];
  });
}

function codeInputs(protocol: AnyProtocol, plain: readonly Input[]): Input[] {
  const { table } = protocol;
  const told = table.states.map((_, state) => tellsByOneByte(protocol, state));
  if (!told.includes(true)) return [];
  const isLegal = ({ type = '' }: Input, state: number) =>
    step(table, state, table.events.indexOf(type)) !== REFUSED;
  // The frames that may come in a state, the longest first: whoever looks at their codes too carelessly takes them.
  const carriers = table.states.map((_, state) => {
    const legal = plain.filter((input) => isLegal(input, state));
    const all = (legal.length > 0 ? legal : plain).map((input) => bytesOf(protocol, input));
    return all.sort((one, other) => other.length - one.length);
  });
  // The message that may not come there, and takes the longest way to where it may.
  const wayTo = (input: Input) =>
    Math.min(...table.paths.filter((_, state) => isLegal(input, state)).map(({ length }) => length));
  const doors = table.states.map((_, state) => {
    const [farthest] = plain
      .filter((input) => !isLegal(input, state))
      .sort((one, other) => wayTo(other) - wayTo(one));
    return farthest && bytesOf(protocol, farthest);
  });
  const hidden = plain.some((input) => input.use('a', -1).hidden);
  const known = new Set(plain.map((input) => bytesOf(protocol, input)[0]));
  return Array.from({ length: 256 }, (_, code) => code)
    .filter((code) => !known.has(code))
    .flatMap((code): Input[] => {
      const id = `code:${code.toString(16).padStart(2, '0')}`;
      const first = (state: number) => carriers[state]?.[0] ?? new Uint8Array(1);
      const nearest = (state: number) => {
        const all = carriers[state] ?? [];
        const least = Math.min(...all.map(([own = 0]) => bitsIn(own ^ code)));
        return all.findLast(([own = 0]) => bitsIn(own ^ code) === least) ?? first(state);
      };
      const bytesIn = (state: number) => withCode(first(state), code);
      const nearestIn = (state: number) => withCode(nearest(state), code);
      const aloneIn = (state: number) =>
        Buffer.concat([Uint8Array.of(code), doors[state] ?? new Uint8Array(0)]);
      const isUnknown = (state: number) =>
        readByServer(protocol, state, Uint8Array.of(code)).kind === 'unknown';
      const whole = bytesInput(protocol, { id, kind: 'code', hidden, bytesIn });
      const alone = bytesInput(protocol, { id: `${id}:alone`, kind: 'code', hidden, bytesIn: aloneIn });
      const near = bytesInput(protocol, { id: `${id}:nearest`, kind: 'code', hidden, bytesIn: nearestIn });
      // A frame of the client's where it may come is for samples.
      const isWrong = ({ reading }: Input, state: number) =>
        told[state] === true && (isUnknown(state) || step(table, state, reading(state).event) === REFUSED);
      return [
        { ...whole, swept: (state) => isWrong(whole, state) },
        { ...near, swept: (state) => nearest(state) !== first(state) && isWrong(near, state) },
        {
          ...alone,
          quietly: true,
          swept: (state) => told[state] === true && isUnknown(state) && doors[state] !== undefined,
          use: (unique, state) => ({ ...alone.use(unique, state), ends: true }),
        },
      ];
    });
}

function bitsIn(byte: number): number {
  return byte.toString(2).replaceAll('0', '').length;
}

function withCode(bytes: Uint8Array, code: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[0] = code;
  return copy;
}

/** Longer than every line of the protocol, and no longer than anybody should have to take. */
const MOST_TOO_LONG = 1024 * 1024;

function wordInputs(protocol: AnyProtocol, plain: readonly Input[]): Input[] {
  const longest = Math.max(...plain.map(({ type = '' }) => protocol.entry(type).frame.maximum));
  return plain.flatMap((input): Input[] => {
    const bytes = bytesOf(protocol, input);
    const { length } =
      Buffer.from(bytes)
        .toString('latin1')
        .match(/^[A-Za-z]+/)?.[0] ?? '';
    if (length === 0) return [];
    const swap = (line: Uint8Array) =>
      Buffer.concat([swapped(line.subarray(0, length)), line.subarray(length)]);
    const reading = (state: number) => readByServer(protocol, state, swap(bytes));
    // Where the word would be content it is none.
    const isTold = (state: number) => input.reading(state).type === input.type;
    const kind: InputKind = reading(protocol.table.initial).type === input.type ? 'valid' : 'unknown';
    const use: Input['use'] = (unique, state) => {
      const right = input.use(unique, state);
      return { ...right, bytes: swap(right.bytes) };
    };
    const tooLong = Buffer.concat([
      bytes.subarray(0, length),
      Buffer.from(` ${'a'.repeat(Math.min(longest + 16, MOST_TOO_LONG))}${terminatorOf(bytes)}`),
    ]);
    return [
      { ...input, id: `${input.id}:wrong-case`, kind, reading, use, swept: isTold },
      {
        ...bytesInput(protocol, { id: `${input.id}:too-long`, kind: 'unknown', bytesIn: () => tooLong }),
        swept: isTold,
      },
    ];
  });
}

/** The message alone, without what is sent in one piece with it. */
function bytesOf(protocol: AnyProtocol, input: Input): Uint8Array {
  const { messages, bytes } = input.use('a', -1);
  const own = messages.find(({ type }) => type === input.type);
  return own === undefined ? bytes : protocol.encode(own).bytes;
}

function swapped(word: Uint8Array): Uint8Array {
  return word.map((letter) => letter ^ 0x20);
}
