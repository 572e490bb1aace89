/** The load generator, a process of its own: `node generator.js '{"kind": "closed-loop", "port": 5555, …}'`. */
import { closedLoop } from './closed-loop.ts';
import { idle } from './idle.ts';
import type { Job, Report, Seen } from './job.ts';
import { openLoop } from './open-loop.ts';
import { room } from './room.ts';

const job: Job = JSON.parse(process.argv[2] ?? '{}');
const tell = (report: Report): void => {
  if (process.send === undefined) console.log(JSON.stringify(report));
  else process.send(report);
};

tell({ event: 'seen', seen: await run(job) });
// Connections of floors without a goodbye are still open, and the parent's channel too.
if (process.send === undefined) process.exit();
process.once('disconnect', () => process.exit());

function run(job: Job): Promise<Seen> {
  switch (job.kind) {
    case 'closed-loop':
      return closedLoop(job, tell);
    case 'open-loop':
      return openLoop(job, tell);
    case 'idle':
      return idle(job, tell);
    case 'room':
      return room(job, tell);
  }
}
