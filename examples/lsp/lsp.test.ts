import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import { listen } from 'wirechart';
import { verify } from 'wirechart/verify';
import { lsp } from './protocol.ts';
import { words } from './words.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function ours() {
  const server = await listen(lsp, words, { host: '127.0.0.1', port: 0 });
  closers.push(() => server.close());
  return server;
}

/** A client of the package vscode-jsonrpc. */
async function client() {
  const { port } = await ours();
  const socket = connectTcp({ host: '127.0.0.1', port });
  await once(socket, 'connect');
  const made = createMessageConnection(new StreamMessageReader(socket), new StreamMessageWriter(socket));
  made.listen();
  closers.push(() => {
    made.dispose();
    socket.destroy();
  });
  return { made, ended: once(socket, 'close') };
}

const initialize = { processId: null, rootUri: null, capabilities: {} };
const position = { line: 0, character: 0 };

test('vscode-jsonrpc as the client: a whole life, with requests side by side', async () => {
  const { made, ended } = await client();
  expect(await made.sendRequest('initialize', initialize)).toMatchObject({
    capabilities: { hoverProvider: true },
  });
  await made.sendNotification('initialized', {});
  for (const [uri, text] of [
    ['file:///a', 'one two  three'],
    ['file:///b', ''],
  ])
    await made.sendNotification('textDocument/didOpen', {
      textDocument: { uri, text, languageId: 'x', version: 1 },
    });
  const hover = (uri: string) => made.sendRequest('textDocument/hover', { textDocument: { uri }, position });
  expect(await Promise.all(['file:///a', 'file:///b', 'file:///c'].map(hover))).toEqual([
    { contents: '3 words' },
    { contents: '0 words' },
    null,
  ]);
  await expect(made.sendRequest('nothing')).rejects.toMatchObject({ code: -32_601 });
  expect(await made.sendRequest('shutdown')).toBeNull();
  await expect(hover('file:///a')).rejects.toMatchObject({ code: -32_600 });
  await made.sendNotification('exit');
  await ended;
});

test('what comes before initialize is refused, and the client may still begin', async () => {
  const { made } = await client();
  await expect(made.sendRequest('textDocument/hover', {})).rejects.toMatchObject({ code: -32_002 });
  await expect(made.sendRequest('shutdown')).rejects.toMatchObject({ code: -32_002 });
  await made.sendRequest('initialize', initialize);
  await expect(made.sendRequest('initialize', initialize)).rejects.toMatchObject({ code: -32_600 });
});

test('our server conforms', async () => {
  const { port } = await ours();
  const { verdict, reason, faults } = await verify(lsp, { host: '127.0.0.1', port, k: 1 });
  expect([verdict, reason, faults.map(({ dialogue }) => dialogue.test.id)]).toEqual([
    'conforms',
    undefined,
    [],
  ]);
}, 60_000);
