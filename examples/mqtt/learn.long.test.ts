import { expect, test } from 'vitest';
import { learn, type System, wired } from 'wirechart/learn';
import { hsiSuite } from 'wirechart/verify/theory';
import { freePort } from '../field-report/server.ts';
import { mqtt } from './protocol.ts';
import { mqttServers } from './servers.ts';

const packets =
  'CONNECT PUBLISH0 PUBLISH1 PUBLISH2 PUBACK PUBREC PUBREL PUBCOMP SUBSCRIBE UNSUBSCRIBE PINGREQ DISCONNECT';

test.each(mqttServers.map((server) => [server.name, server] as const))(
  'the machine of %s, from twelve packets and no order: all states in 40 connections, confirmed for little more than its suite',
  async (_, server) => {
    if (server.version() === undefined) return;
    const port = await freePort();
    const stop = await server.start(port);
    const wire = wired(mqtt, { address: { host: '127.0.0.1', port } });
    const cost = { connections: 0, sent: 0, untilLast: 0 };
    const system: System = {
      async connect() {
        cost.connections++;
        const dialogue = await wire.connect();
        return {
          send(input, known) {
            cost.sent++;
            return dialogue.send(input, known);
          },
          end: () => dialogue.end?.(),
        };
      },
    };
    let most = 0;
    const learned = await learn(system, packets.split(' '), {
      k: 1,
      votes: 2,
      trusting: false,
      onProgress({ states, tests }) {
        if (tests !== undefined || states <= most) return;
        most = states;
        cost.untilLast = cost.connections;
      },
    });
    await stop();
    expect(learned).toMatchObject({ confirmed: true, leftOut: [] });
    expect(learned.mealy.states).toEqual(['s0', 's1', 'closed']);
    // 27, and 1.123 times the suite, of each of them.
    expect(cost.untilLast).toBeLessThanOrEqual(40);
    const suite = hsiSuite(learned.mealy, 1);
    expect((cost.connections + cost.sent) / (suite.size + suite.inputs)).toBeLessThan(1.15);
  },
);
