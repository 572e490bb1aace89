import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { listen } from 'wirechart';
import { type FieldServer, startProgram, versionIn } from '../field-report/server.ts';
import { modbusHandlers } from './handlers.ts';
import { modbus } from './protocol.ts';

/** The Python that has pymodbus: Debian's, where another one comes first. */
export const python = ['python3', '/usr/bin/python3'].find(
  (command) => spawnSync(command, ['-c', 'import pymodbus.server']).status === 0,
);

export const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** The devices of the field report. */
export const modbusServers: readonly FieldServer[] = [
  {
    name: 'the example of Modbus',
    protocol: modbus,
    version: () => versionIn(new URL('package.json', import.meta.url)),
    verdicts: [],
    async start(port) {
      const server = await listen(modbus, modbusHandlers(), { host: '127.0.0.1', port });
      return () => server.close();
    },
  },
  {
    name: "pymodbus' server",
    protocol: modbus,
    version() {
      if (python === undefined) return undefined;
      const asked = spawnSync(python, ['-c', 'import pymodbus; print(pymodbus.__version__)'], {
        encoding: 'utf8',
      });
      return asked.stdout.trim();
    },
    start: (port) => startProgram(port, python ?? 'python3', [script('pymodbus_server.py'), String(port)]),
    evidence: 'modbus/evidence/pymodbus.py',
    verdicts: [
      {
        rule: /^WRITE_COIL:neither /,
        verdict: 'fault',
        because:
          'A value that is neither 0000 nor FF00 is illegal, and answered by exception 3 (6.5 of the application protocol).',
      },
      {
        rule: /^How a stream is cut/,
        verdict: 'fault',
        because:
          'The length in front is there so that boundaries are recognized however a message was split into packets (3.1.2 of the messaging guide); a request in two segments is cut off.',
      },
    ],
  },
];
