import type { ClientMessage, MakeHandlers } from 'wirechart';
import type { lsp } from './protocol.ts';

type Params = Extract<ClientMessage<typeof lsp>, { readonly type: 'client.REQUEST' }>['params'];

/** A small language server: it knows how many words a document has, and says so where a mouse rests on it. */
export const words: MakeHandlers<typeof lsp.frames> = (session) => {
  const documents = new Map<string, string>();
  let isDown = false;
  /** Why a request comes too early or too late, where it does. */
  const refused = (id: number | string) => {
    if (session.stateName.startsWith('fresh'))
      return { type: 'server.EARLY', id, error: { code: -32_002, message: 'not initialized' } } as const;
    if (!isDown) return undefined;
    return { type: 'server.INVALID', id, error: { code: -32_600, message: 'shut down already' } } as const;
  };
  return {
    INITIALIZE: ({ id }) =>
      session.stateName === 'fresh.initializing'
        ? {
            type: 'server.RESULT',
            id,
            result: { capabilities: { hoverProvider: true, textDocumentSync: 1 } },
          }
        : { type: 'server.INVALID', id, error: { code: -32_600, message: 'initialized already' } },
    INITIALIZED: () => undefined,
    SHUTDOWN({ id }) {
      const refusal = refused(id);
      isDown = session.stateName.startsWith('down');
      return refusal ?? { type: 'server.RESULT', id, result: null };
    },
    EXIT: () => undefined,
    REQUEST({ id, method, params }) {
      const refusal = refused(id);
      if (refusal !== undefined) return refusal;
      if (method !== 'textDocument/hover')
        return {
          type: 'server.ERROR',
          id,
          error: { code: -32_601, message: `no method is called ${method}` },
        };
      const text = documents.get(documentOf(params).uri);
      const count = text?.split(/\s+/).filter(Boolean).length;
      return {
        type: 'server.RESULT',
        id,
        result: count === undefined ? null : { contents: `${count} words` },
      };
    },
    NOTIFY({ method, params }) {
      const { uri, text } = documentOf(params);
      if (method === 'textDocument/didOpen' && documents.size < MOST) documents.set(uri, text);
      if (method === 'textDocument/didClose') documents.delete(uri);
      return undefined;
    },
    RESULT: () => undefined,
    ERROR: () => undefined,
  };
};

const MOST = 1_000;

function documentOf(params: Params): { readonly uri: string; readonly text: string } {
  const textDocument: unknown = Reflect.get(Object(params), 'textDocument');
  const { uri = '', text = '' }: { readonly uri?: unknown; readonly text?: unknown } = {
    ...Object(textDocument),
  };
  return { uri: String(uri), text: String(text) };
}
