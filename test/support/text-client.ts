import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Somebody on a socket, by hand. */
export interface TextClient {
  readonly client: Socket;
  /** All that came so far, in Latin-1. */
  heard(): string;
}

/** Connects to that port of loopback; it is gone with its test. */
export function textClient(port: number): TextClient {
  const client = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => void client.destroy());
  let heard = '';
  client.on('error', () => {});
  client.on('data', (bytes) => {
    heard += bytes.toString('latin1');
  });
  return { client, heard: () => heard };
}
