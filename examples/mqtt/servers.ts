import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listen } from 'wirechart';
import { type FieldServer, startProgram, versionIn } from '../field-report/server.ts';
import { Broker } from './broker.ts';
import { mqtt } from './protocol.ts';

/** Debian has servers where only root looks for programs. */
const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` };

/** The brokers of the field report. */
export const mqttServers: readonly FieldServer[] = [
  {
    name: 'the example of MQTT',
    protocol: mqtt,
    version: () => versionIn(new URL('package.json', import.meta.url)),
    verdicts: [],
    async start(port) {
      const server = await listen(mqtt, new Broker().handlers, { host: '127.0.0.1', port });
      return () => server.close();
    },
  },
  {
    name: 'mosquitto',
    protocol: mqtt,
    version: () =>
      /version (\S+)/.exec(spawnSync('mosquitto', ['-h'], { encoding: 'utf8', env }).stdout ?? '')?.[1],
    async start(port) {
      const folder = mkdtempSync(join(tmpdir(), 'wirechart-mosquitto-'));
      const file = join(folder, 'mosquitto.conf');
      writeFileSync(
        file,
        `listener ${port} 127.0.0.1\nallow_anonymous true\nlog_dest none\nset_tcp_nodelay true\n`,
      );
      const stop = await startProgram(port, 'mosquitto', ['-c', file], env);
      return () => stop().finally(() => rmSync(folder, { recursive: true }));
    },
    evidence: 'mqtt/evidence/mosquitto.py',
    verdicts: [
      {
        rule: /the connection must be closed properly, and it was reset$/,
        verdict: 'freedom',
        because: 'The connection must be closed, and nothing says how: a reset is a close [MQTT-4.8.0-1].',
      },
      {
        rule: /^(?:server\.\w+|PUB\w+:code-\w+) was passed over in silence/,
        verdict: 'fault',
        because:
          'SUBACK, UNSUBACK and PINGRESP go from the server to the client only (table 2.1); a violation must end the connection [MQTT-4.8.0-1].',
      },
      {
        rule: /^code:(?:3[89]|[4-79b-e]\w)(?::nearest)? was (?:passed over in silence|accepted)/,
        verdict: 'fault',
        because:
          'Flags that table 2.2 reserves must end the connection [MQTT-2.2.2-2], and so must DUP with QoS 0 [MQTT-3.3.1-2, 4.8.0-1].',
      },
    ],
  },
  {
    name: 'aedes',
    protocol: mqtt,
    version: () => versionIn(new URL('../../node_modules/aedes/package.json', import.meta.url)),
    start: (port) =>
      startProgram(port, process.execPath, [
        fileURLToPath(new URL('aedes.mjs', import.meta.url)),
        String(port),
      ]),
    evidence: 'mqtt/evidence/aedes.py',
    verdicts: [
      {
        rule: /^CONNECT:level .* answered by closes$/,
        verdict: 'fault',
        because: 'A level that is not supported must be answered by a CONNACK with code 1 [MQTT-3.1.2-2].',
      },
      {
        rule: /^CONNECT:nobody .* answered by CONNACK$/,
        verdict: 'fault',
        because: 'No client id without a clean session must be answered by code 2 [MQTT-3.1.3-8].',
      },
      {
        rule: /^PUBLISH1:id-0 /,
        verdict: 'fault',
        because:
          'A packet id must not be 0 [MQTT-2.3.1-1], and a violation must end the connection [MQTT-4.8.0-1].',
      },
      {
        rule: /^code:3[89](?::nearest)? was passed over in silence/,
        verdict: 'fault',
        because:
          'DUP must be 0 with QoS 0 [MQTT-3.3.1-2], and a violation must end the connection [MQTT-4.8.0-1].',
      },
      {
        rule: /^PUBLISH0:not-utf8 /,
        verdict: 'fault',
        because: 'Ill-formed UTF-8 must end the connection [MQTT-1.5.3-1].',
      },
    ],
  },
];
