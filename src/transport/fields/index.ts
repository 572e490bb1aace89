export { bytes, type Length } from './bytes.ts';
export { above, below, ends, equals, not, starts, type Test } from './conditions.ts';
export { is } from './constants.ts';
export type { Carries, Field, InPlace, Random, Sizes, ValueOf } from './field.ts';
export * from './integers.ts';
export type { FieldsOf } from './part.ts';
export { secret } from './secret.ts';
export { such } from './such.ts';
export { padded, text } from './text.ts';
