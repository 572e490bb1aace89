import type { Fault, FaultKind } from './fault.ts';

/** Where a decoder stands in what was received: it is written in fields, and each moves it on. */
export interface Cursor {
  readonly bytes: Uint8Array;
  /** Index of the next byte to read. */
  at: number;
  /** Index after the last byte that may be read: received, and inside the cover at hand. */
  end: number;
  /** Index of the first byte of the frame. */
  start: number;
  /** Whether `end` is where a length said that it is: no byte behind it belongs to what is read. */
  readonly covered: boolean;
  /** Index where the innermost cover ends, whether all of it has come or not. */
  readonly limit: number;
  /** Set by who must see more: the index up to which bytes must have come. */
  wanted: number;
  /** The first thing that is wrong with the frame. */
  fault: Fault | undefined;
  /** Set where the frame at hand was not whole and right at first sight. */
  doubted: boolean;
  /** Set with `fault` where the end of the frame is not known any more. */
  lost: boolean;
  /**
   * Makes sure of `size` bytes from here. When they have not come, says so in `wanted`; when a cover ends before, that
   * is the fault.
   */
  has(size: number): boolean;
  /** What was read is refused: the first fault is kept. `at` is the index of the wrong byte. */
  refuse(kind: FaultKind, at: number, expected: string, got?: string): void;
  /** The same, where nobody knows any more where the field ends. */
  lose(kind: FaultKind, at: number, expected: string, got?: string): void;
  /** Nothing behind `end`, which may lie behind what has come, may be read until {@link leave} is called with what this answers. */
  enter(end: number): Cover;
  /** Out of a cover again. What was lost inside is found again: the cover's end is known. */
  leave(cover: Cover): void;
  /** Keeps how far a list, or the search for a terminator, has come: see {@link resume}. */
  keep(owner: object, at: number, progress: Progress): void;
  /** What `owner` kept at `at` when bytes were missing: the frame is read again from its start, a list is not. */
  resume(owner: object, at: number): Progress | undefined;
  /** The frame is whole: what was kept is of no use any more. */
  finish(): void;
  /** Back to `at`, as if nothing behind it had been looked at. */
  rewind(at: number): void;
}

/** What a cursor was before it entered a cover. */
export interface Cover {
  readonly end: number;
  readonly limit: number;
  readonly covered: boolean;
  readonly lost: boolean;
}

/** How far a list or the search for a terminator has come. */
export interface Progress {
  /** Bytes behind where it began. */
  readonly size: number;
  /** What was wrong in them. */
  readonly fault: Fault | undefined;
}
