import type { Entry } from './decoder.ts';
import { DeclarationError } from './errors.ts';
import { hex } from './fault.ts';
import { type Condition, exclude } from './fields/conditions.ts';
import { ANY, type ByteSet, type Field } from './fields/field.ts';
import { leadsOf, type PartStep } from './fields/part.ts';

/** What is looked at next, to tell frames apart. Bytes that are the same for all may be skipped before. */
export type DecisionNode =
  | { readonly kind: 'name'; readonly entry: Entry }
  | (Look & { readonly kind: 'byte'; readonly next: readonly (DecisionNode | undefined)[] })
  | (Look & { readonly kind: 'field'; readonly field: Field<unknown>; readonly branches: readonly Branch[] })
  | (Look & {
      readonly kind: 'cover';
      readonly length: Field<number>;
      readonly bias: number;
      readonly node: DecisionNode;
    });

interface Look {
  /** Bytes from where the last node left off. */
  readonly skip: number;
  /** In words, for faults. */
  readonly expected: string;
  /** Names of the frames that are still possible. */
  readonly nearest: readonly string[];
}

interface Branch {
  readonly test: Condition | undefined;
  readonly node: DecisionNode;
}

/** A frame, and what of it was not looked at yet. */
interface Candidate {
  readonly entry: Entry;
  readonly steps: readonly PartStep[];
}

/**
 * A decision tree that names each frame at the first byte at which only one is left; at least one byte is looked at, and
 * a word with what ends it.
 *
 * @param wholly constants in front are looked at to their end, because another frame takes what does not fit.
 * @throws DeclarationError naming the frames that cannot be told apart.
 */
export function decisionTree(entries: readonly Entry[], wholly: boolean): DecisionNode {
  const candidates = entries.map((entry) => ({ entry, steps: entry.frame.steps }));
  return nodeOf(candidates, 0, false, wholly);
}

function nodeOf(
  candidates: readonly Candidate[],
  skip: number,
  hasRead: boolean,
  wholly: boolean,
): DecisionNode {
  const [first] = candidates;
  if (first === undefined) throw new DeclarationError('no frames to tell apart');
  const [head] = first.steps;
  const isOnly = candidates.length === 1;
  if (isOnly && (hasRead || head === undefined || head.kind === 'unclear') && !goesOn(head, wholly)) {
    return { kind: 'name', entry: first.entry };
  }
  const heads = candidates.map(({ steps }) => steps[0]);
  const nearest = candidates.map(({ entry }) => entry.type);
  if (head === undefined || heads.includes(undefined) || heads.some((step) => step?.kind === 'unclear')) {
    throw new DeclarationError(`frames ${nearest.join(' and ')} cannot be told apart`);
  }
  const behind = candidates.map(({ entry, steps }) => ({ entry, steps: steps.slice(1) }));
  if (heads.every((step) => step?.kind === 'byte')) {
    const sets = heads.map((step) => step.set);
    if (!isOnly && sets.every((set) => set === ANY)) return nodeOf(behind, skip + 1, true, wholly);
    return byteNode(behind, sets, { skip, nearest, expected: inWords(sets) }, wholly);
  }
  if (isOnly) return nodeOf(candidates.map(asBytes), skip, hasRead, wholly);
  if (heads.every((step) => step?.kind === 'field')) {
    const tests = heads.map((step) => step.test);
    const field = shared(heads.map((step) => step.field));
    const makesNoDifference = field?.minimum === field?.maximum && tests.every((test) => test === undefined);
    if (field !== undefined && !makesNoDifference) {
      const look = { skip, nearest, expected: tests.map((test) => test?.says ?? field.says).join(' or ') };
      return { ...look, kind: 'field', field, branches: branchesOf(behind, tests, wholly) };
    }
  }
  if (heads.every((step) => step?.kind === 'cover')) {
    const length = shared(heads.map((step) => step.length));
    const [bias, ...others] = new Set(heads.map((step) => step.bias));
    if (length !== undefined && bias !== undefined && others.length === 0) {
      const look = { skip, nearest, expected: length.says };
      return { ...look, kind: 'cover', length, bias, node: nodeOf(behind, 0, true, wholly) };
    }
  }
  return nodeOf(candidates.map(asBytes), skip, hasRead, wholly);
}

function goesOn(head: PartStep | undefined, wholly: boolean): boolean {
  return head?.kind === 'byte' && (head.letter === true || (wholly && head.set !== ANY));
}

function byteNode(
  behind: readonly Candidate[],
  sets: readonly ByteSet[],
  look: Look,
  wholly: boolean,
): DecisionNode {
  const known = new Map<string, DecisionNode>();
  const next = Array.from({ length: 256 }, (_, byte) => {
    const left = behind.filter((_, index) => sets[index]?.[byte] === 1);
    if (left.length === 0) return undefined;
    const key = left.map(({ entry }) => entry.type).join();
    const node = known.get(key) ?? nodeOf(left, 0, true, wholly);
    known.set(key, node);
    return node;
  });
  return { ...look, kind: 'byte', next };
}

/** For each test those frames that are possible where it holds. One without a test takes what the others do not. */
function branchesOf(
  behind: readonly Candidate[],
  tests: readonly (Condition | undefined)[],
  wholly: boolean,
): readonly Branch[] {
  const distinct = [...new Set(tests)].sort(
    (one, other) => Number(one === undefined) - Number(other === undefined),
  );
  return distinct.map((test) => {
    const left = behind.filter((_, index) => {
      const own = tests[index];
      return own === test || (own !== undefined && test !== undefined && !exclude(own, test));
    });
    return { test, node: nodeOf(left, 0, true, wholly) };
  });
}

/** What follows, byte by byte as far as it can be told: for frames that have nothing in common. */
function asBytes({ entry, steps }: Candidate): Candidate {
  const [head, ...rest] = steps;
  switch (head?.kind) {
    case 'field':
    case 'cover': {
      const field = head.kind === 'field' ? head.field : head.length;
      const isFixed = field.minimum === field.maximum;
      return { entry, steps: [...leadsOf(field), ...(isFixed ? rest : ([{ kind: 'unclear' }] as const))] };
    }
    case 'leave':
      return { entry, steps: rest };
    default:
      return { entry, steps };
  }
}

/** The field that all of these are, bounds aside: the one that takes most. Whoever is named judges by its own. */
function shared<T>(fields: readonly Field<T>[]): Field<T> | undefined {
  const [first] = fields;
  if (first === undefined || !fields.every((field) => areEqual(field, first))) return undefined;
  return fields.reduce((most, field) => (largest(field) > largest(most) ? field : most));
}

function largest({ shape, maximum }: Field<unknown>): number {
  return shape !== undefined && 'max' in shape ? Number(shape.max) : maximum;
}

/** What is told of a shape, or bounds it, and makes no difference to how it is read. */
const TOLD = ['min', 'max', 'name', 'words', 'holds'];

/** Whether two fields, or what their shapes are made of, read the same, bounds aside. */
function areEqual(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (!isObject(one) || !isObject(other)) return false;
  const isField = 'read' in one;
  const keys = isField ? ['shape'] : [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return keys.every((key) =>
    isField && one[key] === undefined ? false : TOLD.includes(key) || areEqual(one[key], other[key]),
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Bytes of any of these sets, in words: `0x01 or 0x03..0x09`. */
function inWords(sets: readonly ByteSet[]): string {
  const ranges: string[] = [];
  for (let byte = 0; byte < 256; byte++) {
    if (sets.every((set) => set[byte] === 0)) continue;
    const first = byte;
    while (byte < 255 && sets.some((set) => set[byte + 1] === 1)) byte++;
    ranges.push(first === byte ? hex(byte) : `${hex(first)}..${hex(byte)}`);
  }
  return ranges.join(' or ');
}
