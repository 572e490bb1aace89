/** Floor: the same server with an XState actor for each connection, asked and told about every frame. */
import type { Socket } from 'node:net';
import { createActor, setup } from 'xstate';
import { CLOSE, MESSAGE, NAME, PASSWORD, readFrames } from './frames.ts';
import { fsync, listen, log } from './listen.ts';
import { type Author, LogFile } from './log-file.ts';

type Event = { type: 'NAME' } | { type: 'PASSWORD' } | { type: 'MESSAGE' } | { type: 'CLOSE' };

const machine = setup({ types: { events: {} as Event } }).createMachine({
  initial: 'N',
  states: {
    N: { on: { NAME: 'P', CLOSE: 'X' } },
    P: { on: { PASSWORD: 'M', CLOSE: 'X' } },
    M: { on: { MESSAGE: 'M', CLOSE: 'X' } },
    X: { type: 'final' },
  },
});

const events = new Map<number, Event>([
  [NAME, { type: 'NAME' }],
  [PASSWORD, { type: 'PASSWORD' }],
  [MESSAGE, { type: 'MESSAGE' }],
  [CLOSE, { type: 'CLOSE' }],
]);
const refused = Buffer.from([0xff]);
const file = new LogFile(log, fsync);

listen((socket: Socket) => {
  const author: Author = { socket, prefix: Buffer.alloc(0), owed: 0, closing: false };
  const actor = createActor(machine).start();
  let unfinished: Buffer | undefined;

  const take = (code: number, bytes: Buffer, start: number, end: number): boolean => {
    const event = events.get(code);
    // An actor ignores an illegal event without a word, so it has to be asked first.
    if (event === undefined || !actor.getSnapshot().can(event)) {
      socket.end(refused);
      return false;
    }
    actor.send(event);
    if (code === MESSAGE) {
      file.append(author, bytes, start, end);
      return true;
    }
    if (code === NAME) author.prefix = Buffer.from(`[${bytes.toString('latin1', start, end)}]: `, 'latin1');
    if (code === CLOSE) author.closing = true;
    file.settle(author);
    return true;
  };
  socket.on('data', (chunk: Buffer) => {
    unfinished = readFrames(unfinished, chunk, take);
  });
  socket.on('close', () => actor.stop());
});
