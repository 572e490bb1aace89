import { afterAll, beforeAll, test } from 'vitest';
import { type ListeningServer, listen } from 'wirechart';
import { conformanceSuite } from 'wirechart/verify';
import { thermostatHandlers } from './handlers.ts';
import { thermostat } from './protocol.ts';

let server: ListeningServer;
beforeAll(async () => {
  server = await listen(thermostat, thermostatHandlers('1234'), { host: '127.0.0.1', port: 0 });
});
afterAll(() => server.close());

for (const { name, run } of conformanceSuite(thermostat, { port: () => server.port })) test(name, run);
