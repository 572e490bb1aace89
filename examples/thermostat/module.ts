import { defineModule, value } from 'wirechart/cli';
import { thermostatHandlers } from './handlers.ts';
import { thermostat } from './protocol.ts';

export default defineModule({
  protocol: thermostat,
  serve: {
    help: 'a thermostat on the wall',
    flags: { pin: value('<digits>', 'who knows it may set the temperature', { default: '1234' }) },
    open: ({ pin }) => ({ handlers: thermostatHandlers(pin) }),
  },
});
