/**
 * Preloaded into every measured server (`node --expose-gc --import probe.js server.js`): answers what the process has
 * used, on any platform and without the server's help. Costs nothing until asked.
 */
import type { Usage } from './server-process.ts';

process.on('message', (question) => {
  if (question !== 'usage' && question !== 'usage-after-gc') return;
  // Twice: what a finalizer lets go of is collected by the second.
  if (question === 'usage-after-gc') for (let i = 0; i < 2; i++) globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  const usage: Usage = { cpuSeconds: (user + system) / 1e6, rss, heapUsed, external };
  process.send?.(usage);
});
process.channel?.unref();
