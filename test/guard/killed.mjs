/** Ends of a message-log dialogue that are killed: `server`, or `client PORT BYTES`. */
import { connect, createServer } from 'node:net';

const [role, port, bytes = ''] = process.argv.slice(2);
process.once('disconnect', () => process.exit());
if (role === 'server') {
  const sockets = new Set();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('end', () => socket.end());
    let held = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      held = Buffer.concat([held, chunk]);
      while (held.length > 0) {
        if (held[0] === 4) return socket.end(Buffer.of(0));
        if (held.length < 3 || held.length < 3 + held.readUInt16LE(1)) return;
        held = held.subarray(3 + held.readUInt16LE(1));
        socket.write(Buffer.of(0));
      }
    });
  });
  process.on('message', () => {
    const tell = () => (sockets.size === 0 ? process.send(0) : setTimeout(tell, 10));
    tell();
  });
  server.listen(0, '127.0.0.1', () => process.send(server.address().port));
} else {
  const socket = connect(Number(port), '127.0.0.1');
  socket.on('error', () => {});
  socket.on('close', () => process.exit());
  socket.resume();
  socket.write(Buffer.from(bytes, 'hex'), () => process.send('sent'));
}
