/** Floor: a bare echo, which is what Node's sockets themselves cost. */
import { listen } from './listen.ts';

listen((socket) => {
  socket.on('data', (chunk) => socket.write(chunk));
});
