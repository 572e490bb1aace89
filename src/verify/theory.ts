/**
 * What the suites are made of: Mealy machines, and the test suites that are complete for them.
 *
 * @packageDocumentation
 */
export { stateCover, stateIdentifiers } from './identify.ts';
export { type Input, type InputKind, inputsOf, type Use } from './inputs.ts';
export {
  checkMealy,
  type Mealy,
  type MealyDeclaration,
  mealyOf,
  type Trace,
  trace,
  type Word,
} from './mealy.ts';
export { type Minimal, minimise } from './minimise.ts';
export type { Step } from './plan.ts';
export { type Output, type Projection, project } from './project.ts';
export { defaultDepth, hsiSuite, type Suite, type Test, testOf } from './suite.ts';
