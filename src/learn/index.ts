/**
 * The machine of a system that nobody documented, learned from its answers.
 *
 * @packageDocumentation
 */
export { type Difference, differences, restricted, sentenceOf, shortestDifference } from './difference.ts';
export {
  type Contradicted,
  Drift,
  type Learned,
  type LearnOptions,
  type LearnProgress,
  learn,
} from './learn.ts';
export { moduleOf, type Order, type OrderOptions, orderOf, withNamesOf } from './machine.ts';
export { simulated } from './simulated.ts';
export type { Answer, Known, System, SystemDialogue } from './system.ts';
export type { Answers } from './tree.ts';
export { type Wired, type WireOptions, wired } from './wire.ts';
