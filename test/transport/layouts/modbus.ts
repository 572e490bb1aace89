import {
  checked,
  crc16,
  frame,
  is,
  list,
  MODBUS,
  u8,
  u16be,
  within,
} from '../../../src/transport/fields/index.ts';

const registers = { values: list('rest', u16be(), { min: 1, max: 125 }) };
const read = { address: u16be(), count: u16be({ min: 1, max: 125 }) };
const write = { address: u16be(), value: u16be() };

const header = { id: u16be() };
const unit = { unit: u8() };
const length = u16be({ max: 254 });

/** Modbus/TCP: the function is known behind the transaction, the protocol and a length. */
export const modbus = {
  client: {
    READ: frame(header, is(u16be(), 0), within(length, unit, is(u8(), 3), read)),
    WRITE: frame(header, is(u16be(), 0), within(length, unit, is(u8(), 6), write)),
    WRITE_MANY: frame(
      header,
      is(u16be(), 0),
      within(length, unit, is(u8(), 16), { address: u16be(), count: u16be() }, within('u8', registers)),
    ),
  },
  server: {
    READ: frame(header, is(u16be(), 0), within(length, unit, is(u8(), 3), within('u8', registers))),
    WRITE: frame(header, is(u16be(), 0), within(length, unit, is(u8(), 6), write)),
    WRITE_MANY: frame(
      header,
      is(u16be(), 0),
      within(length, unit, is(u8(), 16), { address: u16be(), count: u16be() }),
    ),
    READ_FAILED: frame(
      header,
      is(u16be(), 0),
      within(length, unit, is(u8(), 0x83), { reason: u8({ min: 1, max: 11 }) }),
    ),
    WRITE_FAILED: frame(
      header,
      is(u16be(), 0),
      within(length, unit, is(u8(), 0x86), { reason: u8({ min: 1, max: 11 }) }),
    ),
  },
};

/** The same requests on a serial line: no header, a checksum behind. */
export const serial = {
  READ: frame(checked(crc16(MODBUS), unit, is(u8(), 3), read)),
  WRITE: frame(checked(crc16(MODBUS), unit, is(u8(), 6), write)),
};
