import * as v from 'valibot';
import { defineProtocol } from 'wirechart';
import { inHeaders, json, none, otherwise, some } from 'wirechart/json';
import { lspMachine } from './machine.ts';

const jsonrpc = '2.0';
const id = v.union([v.number(), v.string()]);
const params = v.optional(v.union([v.record(v.string(), v.unknown()), v.array(v.unknown())]));
const request = { schema: v.object({ id, method: v.string(), params }) };
const notification = { schema: v.object({ method: v.string(), params }) };
const result = { schema: v.object({ id, result: v.unknown() }) };
const problem = { code: v.number(), message: v.string(), data: v.optional(v.unknown()) };
const error = { schema: v.object({ id: v.nullable(id), error: v.object(problem) }) };

/** An error with this code is a message of its own: the machine says when it is due. */
const withCode = (code: number) => json({ jsonrpc, id: some, error: { code }, method: none }, error);
const refusal = (code: number, message: string) => ({ id: null, error: { code, message } });

/** The Language Server Protocol 3.17: its base protocol and its life cycle. What is asked in between is content. */
export const lsp = defineProtocol({
  name: 'lsp',
  port: 2087,
  machine: lspMachine,
  envelope: inHeaders,
  frames: {
    'client.INITIALIZE': json({ jsonrpc, method: 'initialize', id: some }, request),
    'client.INITIALIZED': json({ jsonrpc, method: 'initialized', id: none }, notification),
    'client.SHUTDOWN': json({ jsonrpc, method: 'shutdown', id: some }, { schema: v.object({ id }) }),
    'client.EXIT': json({ jsonrpc, method: 'exit', id: none }),
    'client.REQUEST': otherwise(json({ jsonrpc, method: some, id: some }, request)),
    'client.NOTIFY': otherwise(json({ jsonrpc, method: some, id: none }, notification)),
    'client.RESULT': json({ jsonrpc, id: some, result: some, error: none, method: none }, result),
    'client.ERROR': json({ jsonrpc, id: some, error: some, method: none }, error),
    'server.RESULT': json({ jsonrpc, id: some, result: some, error: none, method: none }, result),
    'server.EARLY': withCode(-32002),
    'server.INVALID': withCode(-32600),
    'server.ERROR': otherwise(json({ jsonrpc, id: some, error: some, method: none }, error)),
    'server.REQUEST': json({ jsonrpc, method: some, id: some }, request),
    'server.LOG': json({ jsonrpc, method: 'window/logMessage', id: none }, notification),
    'server.SHOW': json({ jsonrpc, method: 'window/showMessage', id: none }, notification),
    'server.NOTIFY': otherwise(json({ jsonrpc, method: some, id: none }, notification)),
  },
  asks: [
    {
      by: 'id',
      asked: ['client.INITIALIZE', 'client.SHUTDOWN', 'client.REQUEST'],
      answered: ['server.RESULT', 'server.ERROR', 'server.EARLY', 'server.INVALID'],
    },
    { by: 'id', asked: ['server.REQUEST'], answered: ['client.RESULT', 'client.ERROR'] },
  ],
  // What has no answer is dropped: notifications, and answers to what was not asked.
  violation: { closes: false },
  malformed: {
    reply: ({ fault }) =>
      fault?.kind === 'encoding'
        ? { type: 'server.ERROR', ...refusal(-32_700, 'Parse error') }
        : { type: 'server.INVALID', ...refusal(-32_600, 'Invalid Request') },
    closes: false,
  },
  unreadable: {},
  failure: () => ({ type: 'server.ERROR', ...refusal(-32_603, 'Internal error') }),
  samples: (unique) => ({
    messages: {
      INITIALIZE: {
        message: {
          type: 'client.INITIALIZE',
          id: unique,
          method: 'initialize',
          params: { processId: null, rootUri: null, capabilities: {} },
        },
        answer: {
          fresh: 'server.RESULT',
          down: 'server.INVALID',
          '': ['server.INVALID', 'server.ERROR'],
        },
        echoes: ['id'],
      },
      INITIALIZED: { message: { type: 'client.INITIALIZED', method: 'initialized', params: {} } },
      SHUTDOWN: {
        message: { type: 'client.SHUTDOWN', id: unique },
        answer: {
          fresh: 'server.EARLY',
          down: 'server.INVALID',
          '': { type: 'server.RESULT', result: null },
        },
        echoes: ['id'],
      },
      EXIT: { message: { type: 'client.EXIT' } },
      REQUEST: {
        message: { type: 'client.REQUEST', id: unique, method: 'wirechart/nothing', params: {} },
        answer: { fresh: 'server.EARLY', down: 'server.INVALID', '': 'server.ERROR' },
        echoes: ['id'],
      },
      NOTIFY: { message: { type: 'client.NOTIFY', method: 'wirechart/nothing', params: {} } },
    },
    malformed: {},
  }),
});
