/**
 * Conformance suites: complete in a sense that is stated, for any implementation of a protocol, through its port.
 *
 * @packageDocumentation
 */
export type { AnyAnswer, AnyExpected } from '../transport/samples.ts';
export type { Confirmation, Confirmed } from './confirm.ts';
export { type ConformanceOptions, type ConformanceTest, conformanceSuite } from './conformance.ts';
export type { Agreement, Closing, Dialogue, Exchange, Patience, Target } from './dialogue.ts';
export type { Preflight } from './preflight.ts';
export type { Observation, ServerAddress } from './probe.ts';
export { type Recorded, type Replay, type ReplayOptions, replay } from './replay.ts';
export { htmlReport } from './report/html.ts';
export { jsonReport } from './report/json.ts';
export { junitReport } from './report/junit.ts';
export { tapReport } from './report/tap.ts';
export { type TextOptions, textReport } from './report/text.ts';
export { type Finding, findingsOf, guarantee, PREMISES } from './report/words.ts';
export type { Stopped } from './restart.ts';
export { withSamples } from './samples.ts';
export type { Cut } from './segmentation.ts';

export type { Unseen } from './unseen.ts';

export { type Plan, type Verdict, type Verification, type VerifyOptions, verify } from './verify.ts';
export { type Waiver, waiversOf } from './waivers.ts';
