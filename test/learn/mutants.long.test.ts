import { expect, test } from 'vitest';
import { mutants } from '../../bench/verify/mutants.ts';
import { mqtt } from '../../examples/mqtt/protocol.ts';
import { differences, sentenceOf, shortestDifference } from '../../src/learn/difference.ts';
import { declaredMealy } from '../../src/learn/file.ts';
import { learn } from '../../src/learn/learn.ts';
import { simulated } from '../../src/learn/simulated.ts';
import type { System } from '../../src/learn/system.ts';
import { wired } from '../../src/learn/wire.ts';
import { accountChat } from '../../src/protocols/account-chat/protocol.ts';
import { basicChat } from '../../src/protocols/basic-chat/protocol.ts';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { minimise } from '../../src/verify/minimise.ts';
import { hsiSuite } from '../../src/verify/suite.ts';

test.each([messageLog, basicChat, accountChat, mqtt].map((protocol) => [protocol.name, protocol] as const))(
  'every single-fault mutant of %s is told from it in one sentence, for at most 1.7 of its suite',
  async (_, protocol) => {
    const { alphabet } = wired(protocol, { address: { host: '', port: 0 } });
    const declared = declaredMealy(protocol, alphabet);
    if (declared === undefined) throw new TypeError('it declares an order');
    const suite = hsiSuite(declared, 1);
    let count = 0;
    for (const fault of ['wrong output', 'wrong next state'] as const) {
      for (const mutant of mutants(declared, fault)) {
        if (shortestDifference(mutant, declared) === undefined) continue;
        const cell = declared.next.findIndex(
          (next, at) => next !== mutant.next[at] || declared.output[at] !== mutant.output[at],
        );
        let cost = 0;
        const system: System = {
          async connect() {
            cost++;
            const dialogue = await simulated(mutant).connect();
            return {
              send(input) {
                cost++;
                return dialogue.send(input);
              },
            };
          },
        };
        const { mealy } = await learn(system, alphabet, { k: 1, reference: declared, trusting: false });
        const found = differences(declared, mealy);
        expect(found.map((one) => sentenceOf(one, ['declared', 'learned']))).toHaveLength(1);
        // Where the fault makes a state into another one, what leads there is as good a name for it.
        if (minimise(mutant).mealy.states.length === minimise(declared).mealy.states.length) {
          expect(found[0]?.input).toBe(alphabet[cell % alphabet.length]);
          expect(found[0]?.states[0]).toBe(declared.states[Math.floor(cell / alphabet.length)]);
        }
        expect(cost / (suite.size + suite.inputs)).toBeLessThan(1.7);
        count++;
      }
    }
    // 84, 252, 192 and 1,068 by now.
    expect(count).toBeGreaterThan(50);
  },
);
