import { expect, test } from 'vitest';
import { findingsOf, textReport } from 'wirechart/verify';
import { five, verified } from './mutants.ts';

test.each(Object.entries(five))('%s is a finding', async (name, [bent, rule]) => {
  const verification = await verified(bent);
  expect(verification.verdict).toBe('faults');
  expect(
    findingsOf(verification)
      .map((finding) => finding.rule)
      .join('\n'),
  ).toMatch(rule);
  if (name !== 'nothing is ever delivered') return;
  expect(verification.unseen.messages).toEqual(['server.PUBLISH']);
  expect(textReport(verification)).toContain('Never received: PUBLISH.');
});
