import { defineModule } from 'wirechart/cli';
import { modbusHandlers } from './handlers.ts';
import { modbus } from './protocol.ts';

export default defineModule({
  protocol: modbus,
  serve: { help: 'a device with coils and registers', open: () => ({ handlers: modbusHandlers() }) },
});
