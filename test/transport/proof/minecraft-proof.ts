import { expect } from 'vitest';
import { seeded } from '../layouts/decoding.ts';
import { byProtodef, packetsOf } from './minecraft.ts';
import { plain, readCut, written } from './proof.ts';

/** All that a message says, in the order of the wire, whatever its parts are called. */
function leaves(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  // Numbers of 64 bits are two halves to protodef.
  if (typeof value === 'bigint') return [String(value)];
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('latin1')];
  if (Array.isArray(value) && value.constructor !== Array)
    return [String(BigInt.asIntN(64, (BigInt(value[0]) << 32n) | BigInt(value[1] >>> 0)))];
  if (typeof value === 'object') return Object.values(value).flatMap(leaves);
  return [value];
}

/** Messages of one state and sender are the same, values and bytes, to protodef, in both directions, cut at random. */
export function prove(
  state: 'login' | 'play',
  to: 'toClient' | 'toServer',
  count: number,
  seed: number,
): void {
  const random = seeded(seed);
  const frames = packetsOf(state, to);
  const theirs = byProtodef(state, to);
  for (const batch of written(frames, count, random)) {
    const bytes = Buffer.concat(batch.map((each) => each.bytes));
    const again: Buffer[] = [];
    let at = 0;
    for (const { message } of batch) {
      const { value, size } = theirs.read(bytes, at, 'framed', {});
      at += size;
      const { data } = theirs.parsePacketBuffer('packet', value);
      expect(data.name).toBe(message.type);
      const { type: _, ...fields } = message;
      expect(leaves(data.params)).toEqual(leaves(fields));
      again.push(theirs.createPacketBuffer('framed', theirs.createPacketBuffer('packet', data)));
    }
    const wire = Buffer.concat(again);
    expect(wire.equals(bytes)).toBe(true);
    expect(readCut(frames, wire, random)).toEqual(batch.map(({ message }) => plain(message)));
  }
}
