import { defineModule } from 'wirechart/cli';
import { Broker } from './broker.ts';
import { mqtt } from './protocol.ts';

export default defineModule({
  protocol: mqtt,
  serve: {
    help: 'an MQTT 3.1.1 broker that keeps everything in memory',
    open: () => ({ handlers: new Broker().handlers }),
    workers: 'Sessions and retained messages are kept by one process',
  },
});
