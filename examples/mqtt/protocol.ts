import { defineProtocol } from 'wirechart';
import { frames } from './frames.ts';
import { mqttMachine } from './machine.ts';
import { mqttSamples } from './samples.ts';

/** MQTT 3.1.1. It has no words for those who break its rules: the connection is closed [MQTT-4.8.0-1]. */
export const mqtt = defineProtocol({
  name: 'mqtt',
  port: 1883,
  machine: mqttMachine,
  frames,
  violation: { closes: true },
  malformed: { closes: true },
  unreadable: {},
  unchecked: [
    'packet ids: that an acknowledgement is of something sent, that an id in use is not taken again',
  ],
  samples: mqttSamples,
});
