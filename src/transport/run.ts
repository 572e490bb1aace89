import type { Entry } from './decoder.ts';
import type { Slices } from './slices.ts';

/** Equal messages that came together. All but the first, whose turn has come, stay in the inbox until theirs does. */
export interface Run {
  readonly entry: Entry;
  /** Their contents, where they lie in the inbox. */
  readonly contents: Slices;
}
