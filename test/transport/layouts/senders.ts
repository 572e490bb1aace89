import type { Frame } from '../../../src/transport/fields/index.ts';
import { modbus, serial } from './modbus.ts';
import { mqtt } from './mqtt.ts';
import { postgres } from './postgres.ts';
import { resp } from './resp.ts';
import { smtp } from './smtp.ts';

/** The frames of each sender whose layouts are here, those that are readable together. */
export const senders: readonly (readonly [string, Readonly<Record<string, Frame>>])[] = [
  ['MQTT client', mqtt.client],
  ['MQTT server', mqtt.server],
  ['PostgreSQL startup', postgres.startup],
  ['PostgreSQL client', postgres.client],
  ['PostgreSQL server', postgres.server],
  ['RESP client', resp.client],
  ['RESP server', resp.server],
  ['Modbus client', modbus.client],
  ['Modbus server', modbus.server],
  ['Modbus serial', serial],
  ['SMTP client', smtp.client],
  ['SMTP mail', smtp.mail],
  ['SMTP server', smtp.server],
];
