import { setup } from 'xstate';
import type { modbusFrames } from './frames.ts';

type Event = `transport.${'accept' | 'end' | 'timeout'}` | keyof typeof modbusFrames;

/** Each request has its answer, or its exception, before the next one is taken. */
const owes = (request: string, answer: string) => ({
  tags: 'server' as const,
  on: { [`server.${answer}`]: 'idle', [`server.${request}_FAILED`]: 'idle' },
});

export const modbusMachine = setup({
  types: { events: {} as { type: Event }, tags: {} as 'client' | 'server' | 'handshake' },
}).createMachine({
  id: 'modbus',
  description: 'Modbus/TCP, functions 1 to 6, 15 and 16: a request, then its answer or its exception.',
  initial: 'connecting',
  on: { 'transport.end': '.closed', 'transport.timeout': '.closed' },
  states: {
    connecting: { on: { 'transport.accept': 'idle' } },
    idle: {
      tags: 'client',
      on: {
        'client.READ_COILS': 'readingCoils',
        'client.READ_INPUT_BITS': 'readingInputBits',
        'client.READ_REGISTERS': 'readingRegisters',
        'client.READ_INPUTS': 'readingInputs',
        'client.WRITE_COIL': 'writingCoil',
        'client.WRITE_REGISTER': 'writingRegister',
        'client.WRITE_COILS': 'writingCoils',
        'client.WRITE_REGISTERS': 'writingRegisters',
        'client.OTHER': 'refusing',
      },
    },
    readingCoils: owes('READ_COILS', 'COILS'),
    readingInputBits: owes('READ_INPUT_BITS', 'INPUT_BITS'),
    readingRegisters: owes('READ_REGISTERS', 'REGISTERS'),
    readingInputs: owes('READ_INPUTS', 'INPUTS'),
    writingCoil: owes('WRITE_COIL', 'COIL_WRITTEN'),
    writingRegister: owes('WRITE_REGISTER', 'REGISTER_WRITTEN'),
    writingCoils: owes('WRITE_COILS', 'COILS_WRITTEN'),
    writingRegisters: owes('WRITE_REGISTERS', 'REGISTERS_WRITTEN'),
    refusing: { tags: 'server', on: { 'server.NO_FUNCTION': 'idle' } },
    closed: { type: 'final' },
  },
});
