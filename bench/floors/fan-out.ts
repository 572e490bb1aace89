/** Floor: basic-chat as a bare loop over sockets, with the same acknowledgements and no checks. */
import { openSync, writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { listen, log } from './listen.ts';

interface Client {
  readonly socket: Socket;
  name: string;
  /** A DELIVER is out and its STATUS has not come. */
  awaiting: boolean;
  readonly queue: Buffer[];
}

const REGISTER = 1;
const SEND = 2;
const STATUS = 4;
const longestString = 4095;
const ok = Buffer.from([STATUS, 0, 0, 0]);
const file = openSync(log, 'a');
const clients = new Set<Client>();

listen((socket) => {
  const client: Client = { socket, name: '', awaiting: false, queue: [] };
  let unfinished: Buffer | undefined;

  socket.on('data', (chunk: Buffer) => {
    const bytes = unfinished === undefined ? chunk : Buffer.concat([unfinished, chunk]);
    let offset = 0;
    while (offset < bytes.length) {
      const code = bytes[offset];
      const lengthAt = offset + (code === STATUS ? 2 : 1);
      if (lengthAt + 2 > bytes.length) break;
      const start = lengthAt + 2;
      const end = start + bytes.readUInt16BE(lengthAt);
      if (end > bytes.length) break;
      if (code === STATUS) acknowledged(client);
      else if (code === SEND) send(client, bytes.subarray(start, end));
      else if (code === REGISTER) register(client, bytes.toString('latin1', start, end));
      offset = end;
    }
    unfinished = offset === bytes.length ? undefined : bytes.subarray(offset);
  });
  socket.on('close', () => {
    if (!clients.delete(client)) return;
    toOthers(client, deliver('[Server]', Buffer.from(`${client.name} has left the server.`)));
  });
});

function register(client: Client, name: string): void {
  client.name = name;
  clients.add(client);
  client.socket.write(ok);
  const names = Array.from(clients, (other) => other.name).join(', ');
  enqueue(client, deliver('[Server]', Buffer.from(`Logged in as ${name}.\nCurrent Clients: ${names}`)));
  toOthers(client, deliver('[Server]', Buffer.from(`${name} has joined the server.`)));
  writeSync(file, `${name} registered\n`);
}

function send(client: Client, message: Buffer): void {
  client.socket.write(ok);
  toOthers(client, deliver(client.name, message));
  writeSync(file, `${client.name}: ${message.toString('latin1')}\n`);
}

function toOthers(client: Client, frame: Buffer): void {
  for (const other of clients) if (other !== client) enqueue(other, frame);
}

function enqueue(client: Client, frame: Buffer): void {
  if (client.awaiting) {
    client.queue.push(frame);
    return;
  }
  client.awaiting = true;
  client.socket.write(frame);
}

function acknowledged(client: Client): void {
  const next = client.queue.shift();
  client.awaiting = next !== undefined;
  if (next !== undefined) client.socket.write(next);
}

function deliver(from: string, message: Buffer): Buffer {
  const body = message.subarray(0, longestString);
  const frame = Buffer.alloc(1 + 2 + from.length + 2 + body.length);
  frame[0] = 3;
  frame.writeUInt16BE(from.length, 1);
  frame.write(from, 3, 'latin1');
  frame.writeUInt16BE(body.length, 3 + from.length);
  frame.set(body, 5 + from.length);
  return frame;
}
