/**
 * What is wrong with bytes that came: `unknown`, they begin no frame; `constant`, a byte that is always the same is
 * another; `range`, a number beyond its bounds; `length`, more or fewer bytes or elements than there may be, or than
 * what covers them has; `encoding`, bytes that are no text, no varint; `terminator`, an end that does not come;
 * `checksum`, a sum that does not fit; `value`, a value that is none of those that are meant; `depth`, too deep nesting.
 */
export type FaultKind =
  | 'unknown'
  | 'constant'
  | 'range'
  | 'length'
  | 'encoding'
  | 'terminator'
  | 'checksum'
  | 'value'
  | 'depth';

/** Why bytes were refused, as a value: nobody has to take English apart. */
export interface Fault {
  readonly kind: FaultKind;
  /** Path of the field: `topic`, `filters[2].qos`; empty for the frame itself. */
  readonly field: string;
  /** Of the wrong byte, from the first byte of the frame. */
  readonly offset: number;
  /** In words. */
  readonly expected: string;
  /** What came, in words; `undefined` where it is secret. */
  readonly got: string | undefined;
  /** Where no frame could be named: those that were still possible before the wrong byte. */
  readonly nearest?: readonly string[];
}

/** The same fault, seen from the field or element around it. */
export function within(key: string, fault: Fault): Fault {
  const { field } = fault;
  return { ...fault, field: field === '' || field.startsWith('[') ? key + field : `${key}.${field}` };
}

/** A fault in words: `expected u8, 3..255, got 2`. */
export function inWords({ expected, got }: Pick<Fault, 'expected' | 'got'>): string {
  return `expected ${expected}, got ${got ?? 'something else'}`;
}

/** A byte as it is written everywhere: `0x0a`. */
export function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`;
}
