import { listen } from 'wirechart';
import barrier from './order.ts';

const server = await listen(
  barrier,
  () => ({
    HELLO: () => ({ type: 'server.OK', text: 'hello' }),
    PIN: ({ pin }) =>
      pin === '4711' ? { type: 'server.OK', text: 'welcome' } : { type: 'server.NO', reason: 'wrong PIN' },
    OPEN: () => ({ type: 'server.OK', text: 'open' }),
    QUIT: () => ({ type: 'server.BYE' }),
    OTHER: () => ({ type: 'server.NO', reason: 'not now' }),
  }),
  { host: '127.0.0.1', port: Number(process.argv[2] ?? 7002) },
);
console.log(`listening on ${server.host}:${server.port}`);
process.once('SIGTERM', () => server.close());
