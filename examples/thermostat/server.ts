import { listen } from 'wirechart';
import { thermostatHandlers } from './handlers.ts';
import { thermostat } from './protocol.ts';

const port = Number(process.argv[2] ?? thermostat.port);
const server = await listen(thermostat, thermostatHandlers('1234'), { host: '127.0.0.1', port });
console.log(`listening on ${server.host}:${server.port}`);
process.once('SIGTERM', () => server.close());
process.once('SIGINT', () => server.close());
