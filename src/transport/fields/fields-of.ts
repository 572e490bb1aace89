import type { Field, ValueOf } from './field.ts';
import type { KeysOf, Part } from './part.ts';

type FieldsOfPart<P> =
  P extends Part<infer F, infer _>
    ? F
    : { readonly [K in keyof P as P[K] extends Field<unknown> ? K : never]: ValueOf<P[K]> };

type Joined<P extends readonly unknown[]> = P extends readonly [infer First, ...infer Rest]
  ? FieldsOfPart<First> & Joined<Rest>
  : unknown;

/** One object type in place of an intersection, for each branch of a choice. */
export type Flat<T> = T extends unknown ? { readonly [K in keyof T]: T[K] } : never;

/** The fields of a message, or a record, as its parts say. */
export type FieldsOf<P extends readonly unknown[]> = Flat<Joined<P>>;

type Wrong<K, Reserved> = K extends Reserved
  ? 'a field cannot be called type: that is the name of the message'
  : K extends number | `${number}`
    ? 'a field cannot be called by a number: such keys do not keep their place'
    : never;

/** The names of the fields that a part brings. */
type NamesOf<P> = P extends Part<infer _, infer Names> ? Names : KeysOf<FieldsOfPart<P>>;

/** Names that the compiler knows: about others it says nothing. */
type Known<K> = K extends unknown ? (string extends K ? never : number extends K ? never : K) : never;

type Mistakes<P extends readonly unknown[], Reserved, Before = never> = P extends readonly [
  infer First,
  ...infer Rest,
]
  ?
      | Wrong<Known<NamesOf<First>>, Reserved>
      | ([Extract<Known<NamesOf<First>>, Before>] extends [never] ? never : 'two fields have the same name')
      | Mistakes<Rest, Reserved, Before | Known<NamesOf<First>>>
  : never;

/** Names that cannot be those of fields do not compile: `type`, numbers, and the same one twice. */
export type Legal<P extends readonly unknown[], Reserved = 'type'> = [Mistakes<P, Reserved>] extends [never]
  ? unknown
  : readonly [Mistakes<P, Reserved>];

/** The names of the fields that parts bring. */
export type NamesIn<P extends readonly unknown[]> = { [I in keyof P]: NamesOf<P[I]> }[number];
