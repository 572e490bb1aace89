import type { Verification } from '../verify.ts';
import { findingOf, findingsOf, worthInWords } from './words.ts';

/** The report as TAP 14. */
export function tapReport(verification: Verification): string {
  const { passed, failed, blocked, cuts, verdict, reason } = verification;
  const lines = ['TAP version 14', `1..${passed.length + failed.length + blocked.length + cuts.length}`];
  let number = 0;
  for (const { test } of passed) lines.push(`ok ${++number} - ${test.id}`);
  const wrong = [
    ...failed.map((dialogue) => ({ ...findingOf(verification, dialogue), id: dialogue.test.id })),
    ...findingsOf(verification).filter(({ dialogue }) => dialogue.length === 0),
  ];
  for (const { id, severity, expected, received, replay } of wrong) {
    lines.push(
      `not ok ${++number} - ${id}`,
      '  ---',
      ...Object.entries({ severity, expected, received, replay }).map(
        ([key, value]) => `  ${key}: ${JSON.stringify(value)}`,
      ),
      '  ...',
    );
  }
  for (const { id } of blocked) lines.push(`ok ${++number} - ${id} # SKIP begins like one that failed`);
  lines.push(...worthInWords(verification).map((line) => `# ${line}`));
  if (reason !== undefined)
    lines.push(verdict === 'set-up' || verdict === 'interrupted' ? `Bail out! ${reason}` : `# ${reason}`);
  return `${lines.join('\n')}\n`;
}
