import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { setup } from 'xstate';
import { frame, line, word } from '../../src/transport/fields/index.ts';
import { defineProtocol } from '../../src/transport/protocol.ts';
import { findingsOf, textReport } from '../../src/verify/index.ts';
import { verify } from '../../src/verify/verify.ts';
import { tcpServer } from '../support/tcp-server.ts';

const machine = setup({
  types: {
    events: {} as {
      type:
        | `transport.${'accept' | 'end' | 'timeout'}`
        | `client.${'NAME' | 'SAY'}`
        | `server.${'OK' | 'NO'}`;
    },
    tags: {} as 'client' | 'server',
  },
}).createMachine({
  id: 'words',
  initial: 'connecting',
  on: { 'transport.end': '.closed', 'transport.timeout': '.closed' },
  states: {
    connecting: { on: { 'transport.accept': 'nameless' } },
    nameless: { tags: 'client', on: { 'client.NAME': 'naming' } },
    naming: { tags: 'server', on: { 'server.OK': 'named' } },
    named: { tags: 'client', on: { 'client.SAY': 'saying' } },
    saying: { tags: 'server', on: { 'server.OK': 'named' } },
    closed: { type: 'final' },
  },
});
const no = () => ({ type: 'server.NO', text: '' }) as const;
const command = (name: string) => frame(word(name), { text: line({ max: 80 }) });
/** Lines: a name, and then what is said. */
const words = defineProtocol({
  name: 'words',
  port: 7,
  machine,
  frames: {
    'client.NAME': command('NAME'),
    'client.SAY': command('SAY'),
    'server.OK': command('OK'),
    'server.NO': command('NO'),
  },
  violation: { reply: no, closes: false },
  malformed: { reply: no, closes: true },
  unreadable: { reply: no },
  samples: (unique) => ({
    messages: {
      NAME: { message: { type: 'client.NAME', text: ` ${unique}` }, answer: 'server.OK' },
      SAY: { message: { type: 'client.SAY', text: ' hello' }, answer: 'server.OK' },
    },
    malformed: {},
  }),
});

interface Bent {
  /** A word as it is looked up. */
  readonly known?: (word: string) => string;
  readonly longest?: number;
}

/** A server of it, written by hand. */
async function served({ known = (word) => word.toUpperCase(), longest = 80 }: Bent = {}): Promise<number> {
  const meet = (socket: Socket) => {
    let named = false;
    let text = '';
    const closes = () => socket.end('NO\r\n');
    socket.on('end', () => socket.end());
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      for (let end = text.indexOf('\r\n'); end >= 0 && socket.writable; end = text.indexOf('\r\n')) {
        const [name = '', ...rest] = text.slice(0, end).split(' ');
        text = text.slice(end + 2);
        const isKnown = ['NAME', 'SAY'].includes(known(name));
        if (!isKnown || rest.join(' ').length >= longest) {
          closes();
          return;
        }
        const isLegal = known(name) === (named ? 'SAY' : 'NAME');
        named ||= isLegal;
        socket.write(isLegal ? 'OK\r\n' : 'NO\r\n');
      }
      if (text.length > longest + 10) closes();
    });
  };
  const { port } = await tcpServer(meet, { allowHalfOpen: true });
  return port;
}

async function findings(bent?: Bent) {
  const verification = await verify(words, { host: '127.0.0.1', port: await served(bent), k: 0 });
  return { verification, ids: findingsOf(verification).flatMap(({ id, also }) => [id, ...also]) };
}

test('the right one conforms, and every word was tried in the wrong case and too long', async () => {
  const { verification, ids } = await findings();
  expect([verification.verdict, ids]).toEqual(['conforms', []]);
  const tried = verification.passed.flatMap(({ exchanges }) => exchanges.map(({ input }) => input.id));
  for (const id of ['unknown:word', 'NAME:wrong-case', 'SAY:wrong-case', 'NAME:too-long', 'SAY:too-long'])
    expect(tried).toContain(id);
});

test.each([
  [
    'takes any word for its own',
    { known: (word: string) => (word === 'SAY' ? 'SAY' : 'NAME') },
    'unknown:word',
  ],
  ['knows words in capitals alone', { known: (word: string) => word }, 'NAME:wrong-case'],
  ['takes lines of any length', { longest: 10_000 }, 'NAME:too-long'],
])('a server that %s', async (_, bent, id) => {
  const { verification, ids } = await findings(bent);
  expect(verification.verdict).toBe('faults');
  expect(ids).toContain(id);
  // Text is shown as text.
  expect(textReport(verification)).toMatch(/^ {4}> "[ -~]+/m);
});
