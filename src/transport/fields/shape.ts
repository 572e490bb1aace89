import type { Condition } from './conditions.ts';

/**
 * What a field is, as plain values: enough to generate code that reads and writes it. Whatever has no shape is
 * asked by its own `read` and `write`.
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
      readonly form: 'leb128' | 'mqtt' | 'zigzag' | 'wide';
      readonly min: number | bigint;
      readonly max: number | bigint;
    }
  | { readonly kind: 'float'; readonly width: number; readonly little: boolean }
  | { readonly kind: 'decimal'; readonly end: readonly number[]; readonly min: number; readonly max: number }
  | { readonly kind: 'counted'; readonly length: Shape; readonly min: number; readonly max: number }
  | { readonly kind: 'fixed'; readonly size: number }
  | { readonly kind: 'rest'; readonly min: number; readonly max: number }
  | { readonly kind: 'until'; readonly end: readonly number[]; readonly min: number; readonly max: number }
  | { readonly kind: 'text'; readonly bytes: Shape; readonly encoding: 'utf8' | 'latin1' | 'ascii' }
  | { readonly kind: 'padded'; readonly size: number; readonly pad: number }
  | {
      readonly kind: 'enumeration';
      readonly of: Shape;
      readonly names: readonly (readonly [string, unknown])[];
    }
  | {
      readonly kind: 'list';
      readonly of: Shape;
      readonly count: ListShape;
      readonly min: number;
      readonly max: number;
    }
  | { readonly kind: 'record'; readonly of: PartShape }
  | {
      readonly kind: 'enclosed';
      readonly before: readonly number[];
      readonly of: Shape;
      readonly behind: readonly number[];
    }
  | { readonly kind: 'nullable'; readonly of: Shape; readonly mark: readonly number[] }
  /** `id` tells it from others: what is inside it is known when it is asked for. */
  | {
      readonly kind: 'recursive';
      readonly id: number;
      readonly depth: number;
      readonly max: number;
      /** The value that it is made of. */
      readonly of: () => Shape | undefined;
    };

/** How a list says how long it is: behind its count, so many, to the end of its cover, up to bytes that end it. */
export type ListShape = Shape | number | 'rest' | readonly number[];

/** What a part is, as plain values. A field without a shape is asked by its own `read` and `write`. */
export type PartShape =
  | { readonly kind: 'constant'; readonly bytes: readonly number[] }
  | { readonly kind: 'word'; readonly text: string }
  | {
      readonly kind: 'group';
      readonly fields: readonly { readonly key: string; readonly shape: Shape | undefined }[];
    }
  | { readonly kind: 'sequence'; readonly parts: readonly PartShape[] }
  | { readonly kind: 'bits'; readonly size: number; readonly bits: readonly BitShape[] }
  | {
      readonly kind: 'within';
      readonly length: Shape | undefined;
      readonly bias: number;
      readonly of: PartShape | undefined;
    }
  | {
      readonly kind: 'when';
      readonly key: string;
      readonly test: Condition;
      readonly of: PartShape | undefined;
    }
  | {
      readonly kind: 'cases';
      readonly key: string;
      readonly cases: readonly (readonly [value: string | number, of: PartShape | undefined])[];
    };

/** Bits next to each other; the highest first. */
export interface BitShape {
  readonly kind: 'constant' | 'flag' | 'number' | 'presence';
  readonly key: string;
  readonly width: number;
  readonly min: number;
  readonly max: number;
}
