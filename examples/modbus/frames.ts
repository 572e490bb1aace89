import { bytes, frame, is, list, otherwise, u8, u16be, within } from 'wirechart/fields';

// Function 3 and its kin: transaction, protocol 0, a length that covers the rest, unit, function.
const header = { id: u16be() };
const modbus = is(u16be(), 0);
const length = u16be({ max: 254 });
const unit = { unit: u8() };
const bits = { bits: bytes('rest', { min: 1, max: 250 }) };
const registers = { values: list('rest', u16be(), { min: 1, max: 125 }) };
const span = { address: u16be(), count: u16be() };
const value = { address: u16be(), value: u16be() };

const spanning = (code: number) => frame(header, modbus, within(length, unit, is(u8(), code), span));
const single = (code: number) => frame(header, modbus, within(length, unit, is(u8(), code), value));
const readBits = (code: number) =>
  frame(header, modbus, within(length, unit, is(u8(), code), within('u8', bits)));
const readRegisters = (code: number) =>
  frame(header, modbus, within(length, unit, is(u8(), code), within('u8', registers)));
const failed = (code: number) =>
  frame(header, modbus, within(length, unit, is(u8(), code + 0x80), { reason: u8({ min: 1, max: 11 }) }));

/** Counts are judged by handlers: a wrong one is exception 3, and no reason to lose the line. */
export const modbusFrames = {
  'client.READ_COILS': spanning(1),
  'client.READ_INPUT_BITS': spanning(2),
  'client.READ_REGISTERS': spanning(3),
  'client.READ_INPUTS': spanning(4),
  'client.WRITE_COIL': single(5),
  'client.WRITE_REGISTER': single(6),
  'client.WRITE_COILS': frame(header, modbus, within(length, unit, is(u8(), 15), span, within('u8', bits))),
  'client.WRITE_REGISTERS': frame(
    ...([header, modbus, within(length, unit, is(u8(), 16), span, within('u8', registers))] as const),
  ),
  'client.OTHER': otherwise(
    frame(header, modbus, within(length, unit, { code: u8() }, { content: bytes('rest') })),
  ),
  'server.COILS': readBits(1),
  'server.INPUT_BITS': readBits(2),
  'server.REGISTERS': readRegisters(3),
  'server.INPUTS': readRegisters(4),
  'server.COIL_WRITTEN': single(5),
  'server.REGISTER_WRITTEN': single(6),
  'server.COILS_WRITTEN': spanning(15),
  'server.REGISTERS_WRITTEN': spanning(16),
  'server.READ_COILS_FAILED': failed(1),
  'server.READ_INPUT_BITS_FAILED': failed(2),
  'server.READ_REGISTERS_FAILED': failed(3),
  'server.READ_INPUTS_FAILED': failed(4),
  'server.WRITE_COIL_FAILED': failed(5),
  'server.WRITE_REGISTER_FAILED': failed(6),
  'server.WRITE_COILS_FAILED': failed(15),
  'server.WRITE_REGISTERS_FAILED': failed(16),
  'server.NO_FUNCTION': otherwise(
    frame(header, modbus, within(length, unit, { code: u8({ min: 0x80 }) }, is(u8(), 1))),
  ),
};
