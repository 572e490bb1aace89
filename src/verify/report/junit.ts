import { Element } from '../../diagram/xml.ts';
import type { Verification } from '../verify.ts';
import { findingOf, findingsOf, worthInWords } from './words.ts';

/** The report as JUnit XML: one test case a test; what was not confirmed is an error, what could not run is skipped. */
export function junitReport(verification: Verification): string {
  const { protocol, passed, failed, blocked, flaky, cuts, reason, verdict, took } = verification;
  const classname = `verify.${protocol.name}`;
  const confirmed = new Set(verification.faults.flatMap(({ tests }) => tests));
  const noVerdict = verdict === 'conforms' || verdict === 'faults' ? 0 : 1;
  const suites = new Element('testsuites');
  const suite = suites.ele('testsuite', {
    name: classname,
    tests: passed.length + failed.length + blocked.length + cuts.length + noVerdict,
    failures: failed.length + cuts.length,
    errors: noVerdict,
    skipped: blocked.length,
    time: seconds(took),
  });
  for (const { test, took: time } of passed)
    suite.ele('testcase', { classname, name: test.id, time: seconds(time) });
  for (const dialogue of failed) {
    const { expected, received, clauses, replay } = findingOf(verification, dialogue);
    const { id } = dialogue.test;
    const type = confirmed.has(id) ? 'fault' : 'not confirmed';
    suite
      .ele('testcase', { classname, name: id, time: seconds(dialogue.took) })
      .ele('failure', { type, message: `expected ${expected}, received ${received}` })
      .txt([...clauses, replay].join('\n'));
  }
  for (const { id } of blocked)
    suite.ele('testcase', { classname, name: id }).ele('skipped', { message: 'begins like one that failed' });
  for (const { id, says, expected, received } of findingsOf(verification).filter(
    ({ dialogue }) => dialogue.length === 0,
  )) {
    suite
      .ele('testcase', { classname, name: id })
      .ele('failure', { type: 'fault', message: `expected ${expected}, received ${received}` })
      .txt(says);
  }
  if (noVerdict === 1) {
    const words = flaky.length > 0 ? `${reason} (${flaky.length} tests)` : (reason ?? verdict);
    suite.ele('testcase', { classname, name: 'verdict' }).ele('error', { type: verdict, message: words });
  }
  const worth = worthInWords(verification).join('\n');
  if (worth !== '') suite.ele('system-out').txt(worth);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${suites.toString('')}\n`;
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}
