import type { MakeHandlers } from 'wirechart';
import type { modbus } from './protocol.ts';

const SIZE = 1000;
const NO_ADDRESS = 2;
const NO_VALUE = 3;

interface Span {
  readonly address: number;
  readonly count: number;
}

/** Why a span cannot be, as an exception says it; 0: it can. */
function wrong({ address, count }: Span, most: number): number {
  if (count < 1 || count > most) return NO_VALUE;
  return address + count > SIZE ? NO_ADDRESS : 0;
}

/** A device with a thousand coils, inputs and registers of each kind, which all clients share. */
export function modbusHandlers(): MakeHandlers<typeof modbus.frames> {
  const [coils, inputBits] = [new Uint8Array(SIZE), new Uint8Array(SIZE)];
  const [registers, inputs] = [new Uint16Array(SIZE), new Uint16Array(SIZE)];

  const bitsOf = (from: Uint8Array, { address, count }: Span) => {
    const bits = new Uint8Array(Math.ceil(count / 8));
    for (let index = 0; index < count; index++) {
      bits[index >> 3] = (bits[index >> 3] ?? 0) | ((from[address + index] ?? 0) << (index & 7));
    }
    return bits;
  };
  const valuesOf = (from: Uint16Array, { address, count }: Span) => [
    ...from.subarray(address, address + count),
  ];

  return () => ({
    OTHER: ({ id, unit, code }) => ({ type: 'server.NO_FUNCTION', id, unit, code: code | 0x80 }),
    READ_COILS({ id, unit, ...span }) {
      const reason = wrong(span, 2000);
      if (reason > 0) return { type: 'server.READ_COILS_FAILED', id, unit, reason };
      return { type: 'server.COILS', id, unit, bits: bitsOf(coils, span) };
    },
    READ_INPUT_BITS({ id, unit, ...span }) {
      const reason = wrong(span, 2000);
      if (reason > 0) return { type: 'server.READ_INPUT_BITS_FAILED', id, unit, reason };
      return { type: 'server.INPUT_BITS', id, unit, bits: bitsOf(inputBits, span) };
    },
    READ_REGISTERS({ id, unit, ...span }) {
      const reason = wrong(span, 125);
      if (reason > 0) return { type: 'server.READ_REGISTERS_FAILED', id, unit, reason };
      return { type: 'server.REGISTERS', id, unit, values: valuesOf(registers, span) };
    },
    READ_INPUTS({ id, unit, ...span }) {
      const reason = wrong(span, 125);
      if (reason > 0) return { type: 'server.READ_INPUTS_FAILED', id, unit, reason };
      return { type: 'server.INPUTS', id, unit, values: valuesOf(inputs, span) };
    },
    WRITE_COIL({ id, unit, address, value }) {
      const reason = value === 0 || value === 0xff00 ? wrong({ address, count: 1 }, 1) : NO_VALUE;
      if (reason > 0) return { type: 'server.WRITE_COIL_FAILED', id, unit, reason };
      coils[address] = value >> 15;
      return { type: 'server.COIL_WRITTEN', id, unit, address, value };
    },
    WRITE_REGISTER({ id, unit, address, value }) {
      const reason = wrong({ address, count: 1 }, 1);
      if (reason > 0) return { type: 'server.WRITE_REGISTER_FAILED', id, unit, reason };
      registers[address] = value;
      return { type: 'server.REGISTER_WRITTEN', id, unit, address, value };
    },
    WRITE_COILS({ id, unit, bits, address, count }) {
      const span = { address, count };
      const reason = bits.length === Math.ceil(span.count / 8) ? wrong(span, 1968) : NO_VALUE;
      if (reason > 0) return { type: 'server.WRITE_COILS_FAILED', id, unit, reason };
      for (let index = 0; index < span.count; index++) {
        coils[span.address + index] = ((bits[index >> 3] ?? 0) >> (index & 7)) & 1;
      }
      return { type: 'server.COILS_WRITTEN', id, unit, ...span };
    },
    WRITE_REGISTERS({ id, unit, values, address, count }) {
      const span = { address, count };
      const reason = values.length === span.count ? wrong(span, 123) : NO_VALUE;
      if (reason > 0) return { type: 'server.WRITE_REGISTERS_FAILED', id, unit, reason };
      registers.set(values, span.address);
      return { type: 'server.REGISTERS_WRITTEN', id, unit, ...span };
    },
  });
}
