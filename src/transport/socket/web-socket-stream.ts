import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { Inbox } from '../inbox.ts';
import { allocate, joined, utf8 } from '../memory.ts';
import type { Envelope } from '../messages/envelope.ts';
import { CLOSE } from '../messages/json-message.ts';
import type { Cargo } from './cargo.ts';

const OPEN = 1;
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
  /** Below it, where there is one: held back while several messages go. */
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
    socket.on('message', (content) =>
      this.#receive(Buffer.isBuffer(content) ? content : utf8(String(content))),
    );
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
    else {
      const messages = [...this.#messagesIn(chunk, envelope)];
      const last = messages.pop();
      this.#below?.cork();
      for (const message of messages) this.#send(message, undefined);
      if (last === undefined) sent();
      else this.#send(last, sent);
      this.#below?.uncork();
    }
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
  *#messagesIn(chunk: Uint8Array, envelope: Envelope): Iterable<Uint8Array> {
    const cursor = this.#unsent;
    cursor.add(chunk);
    while (cursor.ready()) {
      cursor.start = cursor.at;
      const extent = envelope.find(cursor, Number.POSITIVE_INFINITY);
      if (extent === undefined) break;
      yield cursor.bytes.subarray(extent.from, extent.to);
      cursor.at = extent.next;
      cursor.finish();
    }
    if (cursor.lost) cursor.drain();
    cursor.settle();
  }

  #send(message: Uint8Array, sent: (() => void) | undefined): void {
    const socket = this.#socket;
    if (message[0] === CLOSE) {
      socket.close(((message[1] ?? 0) << 8) | (message[2] ?? 0), Buffer.from(message.subarray(3)));
      sent?.();
    } else if (socket.readyState === OPEN) socket.send(message, { binary: false }, sent);
    else sent?.();
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

function enclosed(
  contents: readonly Uint8Array[],
  envelope: Envelope | undefined,
): { readonly size: number; readonly bytes: Uint8Array } {
  const size = contents.reduce((sum, { length }) => sum + (envelope?.size(length) ?? length), 0);
  if (envelope === undefined) return { size, bytes: joined(contents) };
  const bytes = allocate(size);
  let at = 0;
  for (const content of contents) {
    bytes.set(content, envelope.write(content.length, bytes, at));
    at += envelope.size(content.length);
  }
  return { size, bytes };
}
