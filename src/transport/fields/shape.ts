/**
 * What a field or a part is, as plain values: enough to generate code that reads and writes it. Whatever has no shape is
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
      readonly kind: 'counted';
      readonly of: 'bytes';
      readonly length: Shape;
      readonly min: number;
      readonly max: number;
    }
  | {
      readonly kind: 'text';
      readonly bytes: Shape;
      readonly encoding: 'utf8' | 'latin1' | 'ascii';
    }
  | { readonly kind: 'fixed'; readonly size: number }
  | { readonly kind: 'rest'; readonly min: number; readonly max: number }
  | { readonly kind: 'padded'; readonly size: number; readonly pad: number };
