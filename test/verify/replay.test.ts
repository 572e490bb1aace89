import { expect, test } from 'vitest';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';
import { type Recorded, replay } from '../../src/verify/replay.ts';
import { tcpServer } from '../support/tcp-server.ts';

/** Answers the code of each frame so, and keeps what it was sent. */
async function server(
  answer: (code: number) => number | undefined,
): Promise<{ port: number; got: () => string }> {
  let got = '';
  const { port } = await tcpServer((socket) => {
    let held = Buffer.alloc(0);
    socket.on('data', (bytes) => {
      got += bytes.toString('latin1');
      held = Buffer.concat([held, bytes]);
      while (held.length > 0) {
        const code = held[0] ?? 0;
        const size = code === 4 ? 1 : held.length < 3 ? Number.POSITIVE_INFINITY : 3 + held.readUInt16LE(1);
        if (held.length < size) return;
        held = held.subarray(size);
        const reply = answer(code);
        if (reply !== undefined) socket.write(Buffer.of(reply));
        if (code === 4) socket.end();
      }
    });
  });
  return { port, got: () => got };
}

const line = (message: string, state: string, text?: string, count = 1): Recorded => ({
  message,
  count,
  state,
  bytes: text === undefined ? undefined : Buffer.from(text.repeat(count), 'latin1'),
});
const told: readonly Recorded[] = [
  line('client.NAME', 'N.awaiting', '\x01\x03\0ann'),
  line('server.ACCEPT', 'N.awaiting', '\0'),
  line('client.PASSWORD', 'P.awaiting', '\x02\x01\0A'),
  line('server.ACCEPT', 'P.awaiting', '\0'),
  line('client.MESSAGE', 'M.awaiting', '\x03\x02\0hi', 300),
  line('server.ACCEPT', 'M.awaiting', '\0', 300),
  line('client.CLOSE', 'M.awaiting', '\x04'),
  line('server.ACCEPT', 'M.awaiting', '\0'),
  { note: 'ended' },
];
const untold = told.map((each): Recorded => ('note' in each ? each : { ...each, bytes: undefined }));
const to = (port: number) => ({ host: '127.0.0.1', port, timeout: 200 });

test('what was recorded is said once more, byte by byte, and compared', async () => {
  const { port, got } = await server(() => 0);
  const { sent, heard, deviation, notes } = await replay(messageLog, told, to(port));
  expect({ sent, heard, deviation, notes }).toEqual({
    sent: 303,
    heard: 303,
    deviation: undefined,
    notes: [],
  });
  expect(got()).toBe(`\x01\x03\0ann\x02\x01\0A${'\x03\x02\0hi'.repeat(300)}\x04`);
});

test('contents that were not recorded are those of samples, and that is said', async () => {
  const { port, got } = await server(() => 0);
  const { sent, deviation, notes } = await replay(messageLog, untold, to(port));
  expect([sent, deviation]).toEqual([303, undefined]);
  expect(notes).toEqual([
    'samples were sent, since contents were not recorded: client.NAME, client.PASSWORD, client.MESSAGE',
  ]);
  expect(got()).toContain('\x03\x05\0hello');
  // A large message passes a guard by its head.
  const cut = told.map((each) =>
    'message' in each && each.message === 'client.MESSAGE'
      ? line(each.message, each.state, '\x03\xff\xffx')
      : each,
  );
  const { notes: others } = await replay(messageLog, cut.slice(0, 6), to(port));
  expect(others).toEqual(['samples were sent, since only their beginning was recorded: client.MESSAGE']);
});

test.each<[string, (code: number) => number | undefined, RegExp]>([
  [
    'another answer',
    (code) => (code === 2 ? 0xff : 0),
    /^behind client\.PASSWORD, number 2 of the client: the record has server\.ACCEPT, and the server says server\.REJECT$/,
  ],
  [
    'no answer',
    (code) => (code === 2 ? undefined : 0),
    /server\.ACCEPT, and the server says nothing within 200 ms$/,
  ],
  [
    'no message',
    (code) => (code === 2 ? 9 : 0),
    /server\.ACCEPT, and the server says what is no message of its$/,
  ],
])('a server that gives %s is told of', async (_, answer, why) => {
  const { port } = await server(answer);
  expect((await replay(messageLog, told, to(port))).deviation).toMatch(why);
});

test('a server that says what is recorded and illegal breaks the protocol; so does one that says more than it may', async () => {
  const twice: readonly Recorded[] = [...told.slice(0, 2), line('server.ACCEPT', 'P.awaiting', '\0')];
  const { port } = await tcpServer((socket) => socket.on('data', () => socket.write(Buffer.alloc(2))));
  expect((await replay(messageLog, twice, to(port))).deviation).toMatch(
    /the protocol does not let the server say server\.ACCEPT in P\.awaiting/,
  );
  expect((await replay(messageLog, told.slice(0, 1), to(port))).deviation).toMatch(/does not let the server/);
});

test('an attack that was recorded is sent as it was: only the record tells of it', async () => {
  const attack: readonly Recorded[] = [
    line('client.NAME', 'N.awaiting', '\x01\x03\0ann'),
    line('client.MESSAGE', 'N.awaiting', '\x03\x02\0hi'),
    line('server.ACCEPT', 'N.awaiting', '\0', 2),
    { note: 'would be refused' },
  ];
  const hole = await server(() => 0);
  const open = await replay(messageLog, attack, to(hole.port));
  expect(open.deviation).toBeUndefined();
  expect(open.notes).toEqual([
    'the client says client.MESSAGE in P.awaiting, out of order: from there only the record is compared',
  ]);
  const mended = await server((code) => (code === 3 ? 0xff : 0));
  expect((await replay(messageLog, attack, to(mended.port))).deviation).toMatch(/says server\.REJECT$/);
});

test('what cannot be replayed is said, and what comes behind the end of a record', async () => {
  const { port } = await server(() => 0);
  expect(await replay(messageLog, told.slice(0, 1), to(port))).toMatchObject({
    deviation: undefined,
    notes: ['the record ends there, and the server goes on with server.ACCEPT'],
  });
  const notes = async (...lines: Recorded[]) =>
    (await replay(messageLog, [...told.slice(0, 2), ...lines], to(port))).notes;
  expect(await notes({ note: 'left out' }, line('client.CLOSE', 'P.awaiting'))).toEqual([
    expect.stringContaining('lines were left out'),
  ]);
  expect(await notes({ note: 'another wire' })).toEqual([expect.stringContaining('another wire')]);
  expect(await notes({ note: 'refused' })).toEqual(['what a guard refused is not recorded, and not sent']);
  expect(await notes(line('client.GONE', 'P.awaiting'))).toEqual([
    'client.GONE is no message of message-log: nothing behind it is replayed',
  ]);
});
