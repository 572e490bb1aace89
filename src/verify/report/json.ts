import { deviatingWord } from '../runner.ts';
import type { Verification } from '../verify.ts';
import { coverageOf } from './coverage.ts';
import { findingsOf, guarantee, PREMISES, type ReportOptions, staleWaivers } from './words.ts';

/** The report as a plain object, the same keys in every run. */
export function jsonReport(verification: Verification, options: ReportOptions = {}): object {
  const { protocol, address, plan, preflight } = verification;
  return {
    protocol: protocol.name,
    host: address.host,
    port: address.port,
    verdict: verification.verdict,
    reason: verification.reason ?? null,
    suite: plan === undefined ? null : { ...plan, guarantee: guarantee(plan.k), premises: PREMISES },
    milliseconds: Math.round(verification.took),
    passed: verification.passed.map(({ test, took }) => ({
      id: test.id,
      milliseconds: Math.round(took * 10) / 10,
    })),
    failed: verification.failed.map((dialogue) => ({ id: dialogue.test.id, at: deviatingWord(dialogue) })),
    blocked: verification.blocked.map(({ id }) => id),
    unseen: verification.unseen,
    unchecked: protocol.unchecked,
    staleWaivers: staleWaivers(verification),
    findings: findingsOf(verification, options),
    flaky: verification.flaky.map(({ dialogue, wrong, runs }) => ({
      id: deviatingWord(dialogue),
      wrong,
      runs,
    })),
    unsteady: preflight.unsteady,
    refused: preflight.refused,
    notes: preflight.notes,
    underWay: verification.during.map(({ id }) => id),
    coverage: coverageOf(verification).cells,
  };
}
