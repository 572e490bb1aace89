import { spawnSync } from 'node:child_process';
import type { FieldServer } from '../field-report/server.ts';
import { lsp } from './protocol.ts';

/** Language servers of others, each started anew for every dialogue. */
export const lspServers: readonly FieldServer[] = [
  {
    name: 'clangd',
    protocol: lsp,
    version() {
      const { stdout } = spawnSync('clangd', ['--version'], { encoding: 'utf8' });
      return /version ([\d.]+)/.exec(stdout ?? '')?.[1];
    },
    options: { host: 'stdio:exec clangd --log=error', k: 0 },
    start: async () => async () => {},
    evidence: 'lsp/evidence/clangd.py',
    verdicts: [
      {
        rule: /^(SHUTDOWN|REQUEST|INITIALIZE) may come in down/,
        verdict: 'fault',
        because:
          'Requests behind a shutdown must be answered with InvalidRequest, -32600 (LSP 3.17, Shutdown Request): to clangd, shutdown changes nothing.',
      },
      {
        rule: /^unknown:text was passed over/,
        verdict: 'fault',
        because:
          'Text that is no JSON must be answered with -32700 and the id null (JSON-RPC 2.0, 5 and 5.1).',
      },
      {
        rule: /^unknown:message must be refused/,
        verdict: 'fault',
        because:
          'JSON that is no request must be answered with -32600 and the id null (JSON-RPC 2.0, 5 and 5.1): clangd ends.',
      },
      {
        rule: /^A frame that the end cuts short/,
        verdict: 'fault',
        because:
          'A message has the bytes of its Content-Length (LSP 3.17, Header Part): clangd answers one whose last byte never came, where the message before was as long.',
      },
    ],
  },
];
