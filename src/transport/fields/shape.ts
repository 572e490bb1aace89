import type { Amount } from './amount.ts';
import type { Condition } from './conditions.ts';
import type { Field } from './field.ts';
import type { Encoding } from './text-at.ts';

/**
 * What a field is, as plain values: enough to tell whether two read the same, and to generate code that reads them. A field
 * without a shape, or of one that the code has no words for, is asked by its own `read`.
 */
export type Shape =
  | {
      readonly kind: 'integer';
      readonly width: number;
      readonly little: boolean;
      readonly signed: boolean;
      readonly min: number | bigint;
      readonly max: number | bigint;
    }
  | {
      readonly kind: 'varint';
      /** `shortest` allows no group that says nothing. */
      readonly form: 'leb128' | 'shortest' | 'zigzag' | 'wide';
      readonly min: number | bigint;
      readonly max: number | bigint;
    }
  | { readonly kind: 'float'; readonly width: number; readonly little: boolean }
  | { readonly kind: 'decimal'; readonly end: Uint8Array; readonly min: number; readonly max: number }
  | { readonly kind: 'bytes'; readonly amount: Amount }
  | { readonly kind: 'text'; readonly amount: Amount; readonly encoding: Encoding }
  | { readonly kind: 'padded'; readonly size: number; readonly encoding: Encoding }
  | {
      readonly kind: 'enumeration';
      readonly of: Field<unknown>;
      readonly names: readonly (readonly [name: string, value: unknown])[];
    }
  | { readonly kind: 'list'; readonly of: Field<unknown>; readonly amount: Amount }
  | { readonly kind: 'record'; readonly of: PartShape }
  | {
      readonly kind: 'enclosed';
      readonly before: Uint8Array;
      readonly of: Field<unknown>;
      readonly behind: Uint8Array;
    }
  | { readonly kind: 'nullable'; readonly of: Field<unknown>; readonly mark: Uint8Array }
  | {
      readonly kind: 'apart';
      /** A number that was read before: no two are the same. */
      readonly of: () => Field<number>;
      readonly min: number;
      readonly max: number;
    }
  | {
      readonly kind: 'recursive';
      readonly depth: number;
      readonly max: number;
      /** The value that it is made of. */
      readonly of: () => Field<unknown>;
    };

/** What a part is, as plain values. */
export type PartShape =
  | { readonly kind: 'constant'; readonly bytes: Uint8Array }
  | { readonly kind: 'field'; readonly key: string; readonly field: Field<unknown> }
  | { readonly kind: 'sequence'; readonly parts: readonly PartShape[] }
  | { readonly kind: 'bits'; readonly size: number; readonly bits: readonly BitShape[] }
  | {
      readonly kind: 'within';
      readonly length: Field<number>;
      readonly bias: number;
      readonly of: PartShape;
    }
  | { readonly kind: 'when'; readonly key: string; readonly test: Condition; readonly of: PartShape }
  | {
      readonly kind: 'cases';
      readonly key: string;
      readonly cases: readonly (readonly [value: string | number, of: PartShape])[];
    };

/** Bits next to each other; the highest first. */
export interface BitShape {
  readonly kind: 'constant' | 'flag' | 'number' | 'presence';
  readonly key: string;
  readonly width: number;
  readonly min: number;
  readonly max: number;
}
