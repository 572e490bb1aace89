import { defineProtocol } from 'wirechart';
import { frame, is, otherwise, u8, u16be, within } from 'wirechart/fields';
import { bending, testMutants } from '../field-report/mutants.ts';
import { modbusFrames } from './frames.ts';
import { modbusHandlers } from './handlers.ts';
import { modbusMachine } from './machine.ts';
import { modbus } from './protocol.ts';

const right = { protocol: modbus, handlers: modbusHandlers };
const { saying, hearing, instead, leading, twice, only } = bending(modbus);

const { violation, malformed, unreadable, samples } = modbus;
const length = u16be({ max: 254 });
/** Exceptions with another protocol number. */
const foreign = defineProtocol({
  ...{ name: 'modbus', port: 0, machine: modbusMachine, violation, malformed, unreadable, samples },
  frames: {
    ...modbusFrames,
    'server.NO_FUNCTION': otherwise(
      frame({ id: u16be() }, is(u16be(), 1), within(length, { unit: u8() }, { code: u8() }, is(u8(), 1))),
    ),
  },
});

testMutants(right, {
  'another transaction': {
    bent: saying('READ_COILS', (word) => [{ ...word, id: word.id + 1 }]),
    rule: /id 4660 must come back, and 4661 did/,
  },
  'another unit': {
    bent: saying('READ_INPUTS', (word) => [{ ...word, unit: word.unit ^ 1 }]),
    rule: /unit 1 must come back, and 0 did/,
  },
  'another transaction with an exception': {
    bent: saying(
      'READ_REGISTERS',
      only('server.READ_REGISTERS_FAILED', (word) => [{ ...word, id: 0 }]),
    ),
  },
  'coils are read as input bits': {
    bent: saying(
      'READ_COILS',
      only('server.COILS', (word) => [{ ...word, type: 'server.INPUT_BITS' }]),
    ),
  },
  'registers are read as inputs': {
    bent: saying(
      'READ_REGISTERS',
      only('server.REGISTERS', (word) => [{ ...word, type: 'server.INPUTS' }]),
    ),
  },
  'every answer twice': { bent: saying('READ_INPUT_BITS', (word) => [word, word]) },
  'a write is answered twice': { bent: saying('WRITE_REGISTER', (word) => [word, word]) },
  'nothing beyond the last address is refused: coils': {
    bent: hearing('READ_COILS', (message) => ({ ...message, address: 0 })),
  },
  'nothing beyond the last address is refused: registers': {
    bent: hearing('READ_REGISTERS', (message) => ({ ...message, address: 0 })),
  },
  'nothing beyond the last address is refused: writing': {
    bent: hearing('WRITE_REGISTERS', (message) => ({ ...message, address: 0 })),
  },
  'a wrong address is a wrong value': {
    bent: saying(
      'WRITE_COILS',
      only('server.WRITE_COILS_FAILED', (word) => [{ ...word, reason: 3 }]),
    ),
    rule: /reason must be 2, and is 3/,
  },
  'no registers are read as well as some': {
    bent: hearing('READ_REGISTERS', (message) => ({ ...message, count: message.count || 1 })),
  },
  'a coil may be neither on nor off': {
    bent: hearing('WRITE_COIL', (message) => ({ ...message, value: message.value === 0 ? 0 : 0xff00 })),
  },
  'the value that was written does not come back': {
    bent: saying(
      'WRITE_REGISTER',
      only('server.REGISTER_WRITTEN', (word) => [{ ...word, value: 0 }]),
    ),
    rule: /value 7 must come back, and 0 did/,
  },
  'the address that was written does not come back': {
    bent: saying(
      'WRITE_COIL',
      only('server.COIL_WRITTEN', (word) => [{ ...word, address: 0 }]),
    ),
  },
  'fewer were written than were to be': {
    bent: saying(
      'WRITE_COILS',
      only('server.COILS_WRITTEN', (word) => [{ ...word, count: word.count - 1 }]),
    ),
    rule: /count 3 must come back, and 2 did/,
  },
  'an unknown function ends the connection': {
    bent: instead('OTHER', (_, __, session) => session.close()),
  },
  'an unknown function is refused by another exception': {
    bent: instead('OTHER', ({ id, unit }) => ({ type: 'server.READ_COILS_FAILED', id, unit, reason: 1 })),
  },
  'an unknown function is refused as another one': {
    bent: saying(
      'OTHER',
      only('server.NO_FUNCTION', (word) => [{ ...word, code: 0xe4 }]),
    ),
    rule: /code must be 227, and is 228/,
  },
  'a write ends the connection': {
    bent: instead('WRITE_COIL', (_, __, session) => session.close()),
  },
  'it is silent to a read': { bent: instead('READ_INPUTS', () => new Promise(() => {})) },
  'a connection is for one request': { serves: leading('writingCoil', 'server.COIL_WRITTEN', 'closed') },
  'another protocol is spoken': { serves: foreign },
  'what is written is written elsewhere': {
    bent: instead('WRITE_REGISTER', ({ id, unit, address, value, type }, asRight) => {
      asRight({ type, id, unit, address: address + 1, value });
      return { type: 'server.REGISTER_WRITTEN', id, unit, address, value };
    }),
    invisible:
      'what is read back is not compared with what was written: other clients may have written meanwhile',
  },
  'a write is done twice': {
    bent: twice('WRITE_REGISTERS'),
    invisible: 'a write that is done again changes nothing',
  },
});
