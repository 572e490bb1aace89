/**
 * The machine of a system that nobody documented, learned from its answers.
 *
 * @packageDocumentation
 */
export { type Learned, type LearnOptions, learn } from './learn.ts';
export type { Answer, Dialogue, System } from './system.ts';
