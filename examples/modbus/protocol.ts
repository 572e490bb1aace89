import { defineProtocol } from 'wirechart';
import { modbusFrames } from './frames.ts';
import { modbusMachine } from './machine.ts';

const of = { id: 0x1234, unit: 1 };
const echoes = ['id', 'unit'];
const some = { ...of, address: 0, count: 3 };
type Read = 'READ_COILS' | 'READ_INPUT_BITS' | 'READ_REGISTERS' | 'READ_INPUTS';
const far = { ...of, address: 0xffff, count: 2 };

/** A read, and one beyond the last address that there can be. */
const reads = <const Request extends Read, const Answer extends string>(
  request: Request,
  answer: Answer,
) => ({
  [request]: { message: { type: `client.${request}`, ...some }, answer: `server.${answer}`, echoes } as const,
  [`${request}/far`]: {
    message: { type: `client.${request}`, ...far },
    answer: { type: `server.${request}_FAILED`, reason: 2 },
    echoes,
  } as const,
});

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
      ...reads('READ_COILS', 'COILS'),
      ...reads('READ_INPUT_BITS', 'INPUT_BITS'),
      ...reads('READ_REGISTERS', 'REGISTERS'),
      ...reads('READ_INPUTS', 'INPUTS'),
      'READ_REGISTERS/none': {
        message: { type: 'client.READ_REGISTERS', ...some, count: 0 },
        answer: { type: 'server.READ_REGISTERS_FAILED', reason: 3 },
        echoes,
      },
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
      'WRITE_COILS/far': {
        message: { type: 'client.WRITE_COILS', ...far, bits: Uint8Array.of(3) },
        answer: { type: 'server.WRITE_COILS_FAILED', reason: 2 },
        echoes,
      },
      'WRITE_REGISTERS/far': {
        message: { type: 'client.WRITE_REGISTERS', ...far, values: [1, 2] },
        answer: { type: 'server.WRITE_REGISTERS_FAILED', reason: 2 },
        echoes,
      },
      WRITE_REGISTERS: {
        message: { type: 'client.WRITE_REGISTERS', ...some, values: [1, 2, 3] },
        answer: 'server.REGISTERS_WRITTEN',
        echoes: [...echoes, 'address', 'count'],
      },
      // Of those that nobody has given a meaning: exception 1 of it (7.1 of the application protocol).
      OTHER: {
        message: { type: 'client.OTHER', ...of, code: 0x63, content: Uint8Array.of(0, 0) },
        answer: { type: 'server.NO_FUNCTION', code: 0xe3 },
        echoes,
      },
    },
    malformed: {},
  }),
});
