import { defineModule } from 'wirechart/cli';
import { lsp } from './protocol.ts';
import { words } from './words.ts';

export default defineModule({
  protocol: lsp,
  serve: { help: 'a language server that counts words', open: () => ({ handlers: words }) },
});
