import type { Contender } from './contenders.ts';
import type { Figures } from './experiment.ts';
import { load } from './load-process.ts';
import type { Usage } from './server-process.ts';
import { withServer } from './trial.ts';

/**
 * Bytes for each further idle connection, between `counts[0]` and `counts[1]` of them: what the first ones cost
 * (compiled code, pools, the allocator's first pages) is not theirs.
 */
export async function memory(contender: Contender, counts: readonly [number, number]): Promise<Figures> {
  return await withServer(contender, async (server) => {
    const usages: Usage[] = [];
    const opened = async (): Promise<void> => {
      usages.push(await server.usage('usage-after-gc'));
    };
    await load({ kind: 'idle', port: server.port, dialogue: contender.dialogue, counts }, { opened });
    const [few, many] = usages;
    if (few === undefined || many === undefined) throw new Error('the server was not looked at twice');
    const connections = counts[1] - counts[0];
    return {
      rss: (many.rss - few.rss) / connections,
      heap: (many.heapUsed + many.external - few.heapUsed - few.external) / connections,
    };
  });
}
