/**
 * The vocabulary of frames: fields, which carry a value each, and parts, of which frames and records are made.
 *
 * @packageDocumentation
 */
export { Content, type Pieces } from '../content.ts';
export type { Cover, Cursor, Progress } from '../cursor.ts';
export type { Fault, FaultKind } from '../fault.ts';
export { type Frame, frame, otherwise } from '../frame.ts';
export type { Amount, Length } from './amount.ts';
export { type Apart, apart } from './apart.ts';
export { type Bits, bits, flag, isBits, presence, ubits } from './bits.ts';
export { bytes } from './bytes.ts';
export {
  CCITT,
  type Checksum,
  type Crc16,
  checked,
  checkedBefore,
  crc16,
  crc32,
  MODBUS,
  sum8,
  XMODEM,
  xor8,
} from './checksums.ts';
export { cases, when } from './choices.ts';
export { above, below, type Condition, ends, equals, matches, not, present, starts } from './conditions.ts';
export { is } from './constants.ts';
export { decimal } from './decimals.ts';
export { dotStuffed } from './dot-stuffed.ts';
export { type Enclosure, enclosed, nullable } from './enclosed.ts';
export { enumeration } from './enumerations.ts';
export type { ByteSet, Carries, Field, InPlace, Random, Sizes, ValueOf } from './field.ts';
export type { FieldsOf } from './fields-of.ts';
export { f32be, f32le, f64be, f64le } from './floats.ts';
export {
  type BigBounds,
  type Bounds,
  i8,
  i16be,
  i16le,
  i24be,
  i24le,
  i32be,
  i32le,
  i64be,
  i64le,
  u8,
  u16be,
  u16le,
  u24be,
  u24le,
  u32be,
  u32le,
  u64be,
  u64le,
} from './integers.ts';
export { type Counting, within } from './lengths.ts';
export { type LineOptions, line, type ReplyOptions, type ReplyText, replyLines, word } from './lines.ts';
export { list } from './lists.ts';
export type { AnyPart, Group, NamedField, Part, PartStep } from './part.ts';
export { record } from './records.ts';
export { type Recursion, recursive } from './recursive.ts';
export { secret } from './secret.ts';
export type { BitShape, PartShape, Shape } from './shape.ts';
export { streamed } from './streamed.ts';
export { such } from './such.ts';
export { type Until, until } from './terminated.ts';
export { type Encoding, padded, text } from './text.ts';
export { bigLeb128, leb128, varint, zigzag } from './varints.ts';
