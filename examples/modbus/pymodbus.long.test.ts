import { spawnSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { findingsOf, verify } from 'wirechart/verify';
import { freePort } from '../field-report/server.ts';
import { modbusServers, python, script } from './servers.ts';

const [, pymodbus] = modbusServers;

test.skipIf(python === undefined)(
  "pymodbus' server: two faults, which a raw socket shows, and no other",
  async () => {
    const port = await freePort();
    const stop = await pymodbus?.start(port);
    onTestFinished(() => stop?.());
    if (pymodbus === undefined) throw new Error('the server is not in the report');
    const findings = findingsOf(await verify(pymodbus.protocol, { host: '127.0.0.1', port }));
    expect(findings.map(({ id }) => id)).toEqual(['WRITE_COIL:neither', 'segmentation:pieces']);
    expect(findings.every(({ rule }) => pymodbus.verdicts.some((known) => known.rule.test(rule)))).toBe(true);
    const shown = spawnSync('python3', [script('evidence/pymodbus.py'), '127.0.0.1', `${port}`]);
    expect(shown.status).toBe(0);
  },
);
