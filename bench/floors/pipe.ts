/** Floor: what a proxy costs in Node that looks at nothing. `node pipe.js UPSTREAM-PORT`. */
import { connect, createServer } from 'node:net';

const upstream = Number(process.argv[2]);
const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
  const behind = connect({ port: upstream, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  for (const [from, to] of [
    [client, behind],
    [behind, client],
  ] as const) {
    from.on('error', () => to.destroy());
    from.pipe(to);
  }
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null) console.log(`listening on 127.0.0.1:${address.port}`);
});
