import { defineProtocol } from 'wirechart';
import { modbusFrames } from './frames.ts';
import { modbusMachine } from './machine.ts';

const of = { id: 0x1234, unit: 1 };
const echoes = ['id', 'unit'];
const some = { ...of, address: 0, count: 3 };
const far = { ...of, address: 0xffff, count: 2 };

export const modbus = defineProtocol({
  name: 'modbus',
  port: 502,
  machine: modbusMachine,
  frames: modbusFrames,
  // A request has no wrong moment; what is none has no answer that would say so.
  violation: { closes: true },
  malformed: { closes: true },
  unreadable: {},
  unchecked: ['that an address exists: which ones do is known to the device alone'],
  samples: () => ({
    messages: {
      READ_COILS: { message: { type: 'client.READ_COILS', ...some }, answer: 'server.COILS', echoes },
      READ_INPUT_BITS: {
        message: { type: 'client.READ_INPUT_BITS', ...some },
        answer: 'server.INPUT_BITS',
        echoes,
      },
      READ_REGISTERS: {
        message: { type: 'client.READ_REGISTERS', ...some },
        answer: 'server.REGISTERS',
        echoes,
      },
      'READ_REGISTERS/far': {
        message: { type: 'client.READ_REGISTERS', ...far },
        answer: { type: 'server.READ_REGISTERS_FAILED', reason: 2 },
        echoes,
      },
      'READ_REGISTERS/none': {
        message: { type: 'client.READ_REGISTERS', ...some, count: 0 },
        answer: { type: 'server.READ_REGISTERS_FAILED', reason: 3 },
        echoes,
      },
      READ_INPUTS: { message: { type: 'client.READ_INPUTS', ...some }, answer: 'server.INPUTS', echoes },
      WRITE_COIL: {
        message: { type: 'client.WRITE_COIL', ...of, address: 1, value: 0xff00 },
        answer: 'server.COIL_WRITTEN',
        echoes: [...echoes, 'address', 'value'],
        leaves: 'coils and registers 0 to 2',
      },
      'WRITE_COIL/neither': {
        message: { type: 'client.WRITE_COIL', ...of, address: 1, value: 0x1234 },
        answer: { type: 'server.WRITE_COIL_FAILED', reason: 3 },
        echoes,
      },
      WRITE_REGISTER: {
        message: { type: 'client.WRITE_REGISTER', ...of, address: 1, value: 7 },
        answer: 'server.REGISTER_WRITTEN',
        echoes: [...echoes, 'address', 'value'],
      },
      WRITE_COILS: {
        message: { type: 'client.WRITE_COILS', ...some, bits: Uint8Array.of(5) },
        answer: 'server.COILS_WRITTEN',
        echoes: [...echoes, 'address', 'count'],
      },
      WRITE_REGISTERS: {
        message: { type: 'client.WRITE_REGISTERS', ...some, values: [1, 2, 3] },
        answer: 'server.REGISTERS_WRITTEN',
        echoes: [...echoes, 'address', 'count'],
      },
    },
    malformed: {},
  }),
});
