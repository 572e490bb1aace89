import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { Inbox } from '../inbox.ts';
import { allocate, joined, utf8 } from '../memory.ts';
import type { Envelope } from '../messages/envelope.ts';
import { CLOSE } from '../messages/json-message.ts';
import type { Cargo } from './cargo.ts';

const OPEN = 1;
const NO_TEXT = Uint8Array.of(0xff);
/** The peer left, gave no status, or is gone without a word: no more than the end of the stream. */
const PLAIN = [1000, 1001, 1005];
const BROKEN = 1006;

/**
 * A WebSocket as the stream of bytes that links, probes and guards know: its messages come in the protocol's envelope,
 * and leave without it. A close with a status of its own is the message that `closing` declares.
 */
export class WebSocketStream extends Duplex {
  readonly #socket: WebSocket;
  readonly #envelope: Envelope | undefined;
  /** What a server's is made of: its frames go there directly. */
  readonly #below: Duplex | undefined;
  readonly #unsent = new Inbox();
  #came: Uint8Array[] = [];
  #alive = true;
  #pinging: NodeJS.Timeout | undefined;

  constructor(socket: WebSocket, { envelope }: Cargo, below?: Duplex) {
    super({ readableHighWaterMark: 64 * 1024, writableHighWaterMark: 64 * 1024 });
    this.#socket = socket;
    this.#envelope = envelope;
    this.#below = below;
    socket.binaryType = 'nodebuffer';
    socket.on('message', (content) => {
      const bytes = Buffer.isBuffer(content) ? content : utf8(String(content));
      // A message that begins as a close does is none: no text does, and the socket is still open.
      this.#receive(envelope !== undefined && bytes[0] === CLOSE ? NO_TEXT : bytes);
    });
    socket.on('close', (status, reason) => this.#closed(status, reason));
    socket.on('pong', () => {
      this.#alive = true;
    });
    // 'close' always follows.
    socket.on('error', () => {});
  }

  /** Asks the peer every so often whether it is there, and gives it up when it did not answer the last time. */
  ping(milliseconds: number): void {
    this.#pinging = setInterval(() => {
      if (!this.#alive) this.#socket.terminate();
      this.#alive = false;
      if (this.#socket.readyState === OPEN) this.#socket.ping();
    }, milliseconds).unref();
  }

  override _read(): void {
    if (this.#socket.isPaused) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    const sent = () => done();
    const envelope = this.#envelope;
    // What is said to a peer that has closed is lost, as on any wire.
    if (this.#socket.readyState !== OPEN) sent();
    else if (envelope === undefined) this.#socket.send(chunk, { binary: true }, sent);
    else this.#send(this.#messagesIn(chunk, envelope), sent);
  }

  override _final(done: () => void): void {
    if (this.#socket.readyState === OPEN) this.#socket.close(1000);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearInterval(this.#pinging);
    this.#socket.terminate();
    done(error);
  }

  /** Those that are whole; what is none cannot be sent. */
  #messagesIn(chunk: Uint8Array, envelope: Envelope): Uint8Array[] {
    const cursor = this.#unsent;
    const messages: Uint8Array[] = [];
    cursor.add(chunk);
    while (cursor.ready()) {
      cursor.start = cursor.at;
      const extent = envelope.find(cursor, Number.POSITIVE_INFINITY);
      if (extent === undefined) break;
      messages.push(cursor.bytes.subarray(extent.from, extent.to));
      cursor.at = extent.next;
      cursor.finish();
    }
    if (cursor.lost) cursor.drain();
    cursor.settle();
    return messages;
  }

  #send(messages: readonly Uint8Array[], sent: () => void): void {
    const socket = this.#socket;
    const end = messages.findIndex(([first]) => first === CLOSE);
    const texts = end < 0 ? messages : messages.slice(0, end);
    const last = texts.at(-1);
    if (last === undefined) sent();
    else if (this.#below !== undefined) this.#below.write(inFrames(texts), sent);
    else for (const text of texts) socket.send(text, { binary: false }, text === last ? sent : undefined);
    const [, high = 0, low = 0, ...reason] = messages[end] ?? [];
    if (end < 0) return;
    try {
      socket.close((high << 8) | low, Buffer.from(reason));
    } catch {
      // Who tries a server out sends what is no status too, or a reason that is too long.
      socket.terminate();
    }
  }

  #receive(content: Uint8Array): void {
    this.#came.push(content);
    // Messages that came in one piece go on in one piece.
    if (this.#came.length === 1) queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    const came = this.#came;
    if (came.length === 0 || this.destroyed) return;
    this.#came = [];
    const { size, bytes } = enclosed(came, this.#envelope);
    if (size > 0 && !this.push(bytes)) this.#socket.pause();
  }

  #closed(status: number, reason: Buffer): void {
    clearInterval(this.#pinging);
    if (this.destroyed) return;
    if (status === BROKEN) return void this.destroy(new Error('the WebSocket broke off'));
    if (!PLAIN.includes(status) && this.#envelope !== undefined)
      this.#came.push(Buffer.from([CLOSE, status >> 8, status & 0xff, ...reason]));
    this.#flush();
    this.push(null);
  }
}

/**
 * Texts as a server sends them, unmasked and never in parts (RFC 6455, 5.2): all in one piece, which costs a fraction of a
 * write for each. Between two frames of `ws` there is always room for others.
 */
function inFrames(texts: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const { length } of texts) size += length + (length < 126 ? 2 : length < 65_536 ? 4 : 10);
  const frames = Buffer.allocUnsafe(size);
  let at = 0;
  for (const text of texts) {
    const { length } = text;
    frames[at] = 0x81;
    frames[at + 1] = length < 126 ? length : length < 65_536 ? 126 : 127;
    if (length < 126) at += 2;
    else if (length < 65_536) at = frames.writeUInt16BE(length, at + 2);
    else at = frames.writeBigUInt64BE(BigInt(length), at + 2);
    frames.set(text, at);
    at += length;
  }
  return frames;
}

function enclosed(
  contents: readonly Uint8Array[],
  envelope: Envelope | undefined,
): { readonly size: number; readonly bytes: Uint8Array } {
  let size = 0;
  for (const { length } of contents) size += envelope?.size(length) ?? length;
  if (envelope === undefined) return { size, bytes: joined(contents) };
  const bytes = allocate(size);
  let at = 0;
  for (const content of contents) {
    bytes.set(content, envelope.write(content.length, bytes, at));
    at += envelope.size(content.length);
  }
  return { size, bytes };
}
