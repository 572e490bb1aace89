/**
 * Minecraft's packets of login and play as npm minecraft-data 3.119.0 (MIT, PrismarineJS) declares version 1.8 of them in
 * ProtoDef: `minecraft-1.8.json` is its pc/1.8/protocol.json without handshaking and status. They are translated into fields
 * here, and read by protodef, which compiles the same declarations.
 *
 * What minecraft-data leaves to others is the same for both: a UUID is 16 bytes, a position 64 bits, NBT is left out.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import {
  type AnyPart,
  bigLeb128,
  bits,
  bytes,
  cases,
  enumeration,
  equals,
  type Field,
  type Frame,
  f32be,
  f64be,
  flag,
  frame,
  i8,
  i16be,
  i32be,
  i64be,
  is,
  isBits,
  leb128,
  list,
  not,
  presence,
  present,
  record,
  text,
  u8,
  u16be,
  ubits,
  until,
  when,
  within,
} from '../../../src/transport/fields/index.ts';

type Named = { readonly name?: string; readonly anon?: boolean; readonly type: Type };
type Switch = {
  readonly compareTo: string;
  readonly fields: Readonly<Record<string, Type>>;
  readonly default?: Type;
};
type Mapper = { readonly type: string; readonly mappings: Readonly<Record<string, string>> };
type Counted = { readonly countType?: string; readonly count?: number; readonly type: Type };
type Type =
  | string
  | readonly ['container', readonly Named[]]
  | readonly ['switch', Switch]
  | readonly ['mapper', Mapper]
  | readonly ['array', Counted]
  | readonly ['buffer', Counted]
  | readonly ['option', Type];
type Types = Readonly<Record<string, Type>>;

const switchIn = (type: Type | undefined): Switch | undefined =>
  typeof type === 'object' && type[0] === 'switch' ? type[1] : undefined;
const partsIn = (type: Type | undefined): readonly Named[] => {
  if (typeof type === 'object' && type[0] === 'container') return type[1];
  throw new Error('expected a container');
};
type Packets = Readonly<Record<'toClient' | 'toServer', { readonly types: Types }>>;

const source: Readonly<Record<'login' | 'play', Packets>> & { readonly types: Types } = JSON.parse(
  readFileSync(new URL('./minecraft-1.8.json', import.meta.url), 'utf8'),
);

const length = leb128({ max: 100_000 });
/** ProtoDef reads 32 bits with a sign. */
const varint = (max = 0x7fff_ffff) => leb128({ max });
const slot = record(
  { blockId: i16be() },
  when('blockId', not(equals(-1)), { itemCount: i8(), itemDamage: i16be() }, is(u8(), 0)),
);
const FIELDS: Readonly<Record<string, () => Field<unknown>>> = {
  varint,
  varlong: () => bigLeb128({ max: 2n ** 62n }),
  string: () => text(length),
  u8,
  u16: u16be,
  i8,
  i16: i16be,
  i32: i32be,
  i64: i64be,
  f32: f32be,
  f64: f64be,
  UUID: () => bytes(16),
  position: i64be,
  restBuffer: () => bytes('rest', { max: 1_000 }),
  ByteArray: () => bytes(length),
  vec3i16: () => record({ x: i16be(), y: i16be(), z: i16be() }),
  slot: () => slot,
  entityMetadata: () =>
    list(
      until(Uint8Array.of(0x7f)),
      record(
        bits({ type: ubits(3), key: ubits(5, { max: 30 }) }),
        cases('type', {
          0: [{ value: i8() }],
          1: [{ value: i16be() }],
          2: [{ value: i32be() }],
          3: [{ value: f32be() }],
          4: [{ value: text(length) }],
          5: [{ value: slot }],
          6: [{ value: record({ x: i32be(), y: i32be(), z: i32be() }) }],
          7: [{ value: record({ pitch: f32be(), yaw: f32be(), roll: f32be() }) }],
        }),
      ),
    ),
};

function fieldOf(type: Type): Field<unknown> {
  if (typeof type === 'string') {
    const field = FIELDS[type];
    if (field === undefined) throw new Error(`no field for ${type}`);
    return field();
  }
  switch (type[0]) {
    case 'container':
      return record(...partsOf(type[1]));
    case 'mapper':
      return enumeration(
        type[1].type === 'varint' ? varint() : u8(),
        Object.fromEntries(Object.entries(type[1].mappings).map(([value, name]) => [name, Number(value)])),
      );
    case 'array': {
      const element = fieldOf(type[1].type);
      if (type[1].count !== undefined) return list(type[1].count, element);
      const count = { varint: varint(1_000), i16: i16be({ min: 0 }), i32: i32be({ min: 0, max: 1_000 }) };
      return list(
        count[type[1].countType === 'i16' || type[1].countType === 'i32' ? type[1].countType : 'varint'],
        element,
      );
    }
    case 'buffer':
      return bytes(length);
    default:
      throw new Error(`no field for ${type[0]}`);
  }
}

/** The largest value of a number that says which of several types follows it. */
function largestCase(fields: readonly Named[], name: string): number {
  const all = fields.flatMap(({ type }) => {
    const choice = switchIn(type);
    return choice?.compareTo === name && choice.default === 'void' ? Object.keys(choice.fields) : [];
  });
  return Math.max(...all.map(Number));
}

function partsOf(fields: readonly Named[]): AnyPart[] {
  return fields.flatMap(({ name: given = '', type }): AnyPart[] => {
    // A message has its own `type`.
    const name = given === 'type' ? 'kind' : given;
    const most = largestCase(fields, name);
    if (type === 'bool') return [bits({ zero: isBits(0, 7), [name]: flag() })];
    if (type === 'nbt' || type === 'optionalNbt') return [is(u8(), 0)];
    if (typeof type === 'string' && most >= 0) {
      const bounds = { min: 0, max: most };
      return [{ [name]: type === 'varint' ? varint(most) : type === 'i32' ? i32be(bounds) : i8(bounds) }];
    }
    if (typeof type === 'object' && type[0] === 'option') {
      const there = bits({ zero: isBits(0, 7), there: presence(name) });
      return [there, when(name, present, { [name]: fieldOf(type[1]) })];
    }
    const choice = switchIn(type);
    if (choice === undefined) return [{ [name]: fieldOf(type) }];
    const { compareTo, fields: ways, default: rest } = choice;
    if (rest !== 'void' && rest !== undefined) {
      const value = Number(Object.keys(ways)[0]);
      return [when(compareTo, not(equals(value)), { [name]: fieldOf(rest) })];
    }
    const [only] = Object.keys(ways);
    if (only !== undefined && Number.isNaN(Number(only)))
      return [when(compareTo, equals(only), { [name]: fieldOf(ways[only] ?? '') })];
    const values = Array.from({ length: largestCase(fields, compareTo) + 1 }, (_, value) => value);
    return [
      cases(
        compareTo,
        Object.fromEntries(
          values.map((value) => {
            const way = ways[value];
            return [value, way === undefined ? [] : [{ [name]: fieldOf(way) }]];
          }),
        ),
      ),
    ];
  });
}

/** The one packet whose elements depend on a field outside of their list: the choice is made around the list. */
function playerInfo([action, data]: readonly Named[]): AnyPart[] {
  const elements = typeof data?.type === 'object' && data.type[0] === 'array' ? data.type[1].type : undefined;
  const [uuid, choice] = partsIn(elements);
  if (action === undefined || uuid === undefined) throw new Error('another packet');
  const ways = Object.entries(switchIn(choice?.type)?.fields ?? {}).map(([name, type]) => {
    const parts = type === 'void' ? [] : partsOf(partsIn(type));
    return [name, [{ data: list(varint(1_000), record(...partsOf([uuid]), ...parts)) }]] as const;
  });
  return [{ action: fieldOf(action.type) }, cases('action', Object.fromEntries(ways))];
}

/** Packets of one state and sender, each behind its length. */
export function packetsOf(
  state: 'login' | 'play',
  to: 'toClient' | 'toServer',
): Readonly<Record<string, Frame>> {
  const { types } = source[state][to];
  const [header] = partsIn(types['packet']);
  const ids = typeof header?.type === 'object' && header.type[0] === 'mapper' ? header.type[1].mappings : {};
  return Object.fromEntries(
    Object.entries(ids).map(([id, name]) => {
      const fields = partsIn(types[`packet_${name}`]);
      const parts = name === 'player_info' ? playerInfo(fields) : partsOf(fields);
      return [name, frame(within(length, is(leb128(), Number(id)), ...parts))];
    }),
  );
}

/** What is asked of protodef's compiled declarations. */
export interface Compiled {
  parsePacketBuffer(
    type: string,
    bytes: Uint8Array,
  ): {
    readonly data: { readonly name: string; readonly params: object };
    readonly metadata: { readonly size: number };
  };
  createPacketBuffer(type: string, value: object): Buffer;
  read(
    bytes: Uint8Array,
    at: number,
    type: string,
    root: object,
  ): { readonly value: Buffer; readonly size: number };
}

interface Loop {
  readonly type: unknown;
  readonly endVal: number;
}

interface ReadCompiler {
  wrapCode(code: string): string;
  callType(type: unknown): string;
}

interface WriteCompiler {
  wrapCode(code: string): string;
  callType(value: string, type: unknown): string;
}

/** The same packets by protodef: `packet`, and `framed` for the bytes behind a length. */
export function byProtodef(state: 'login' | 'play', to: 'toClient' | 'toServer'): Compiled {
  const { Compiler } = createRequire(import.meta.url)('protodef');
  const compiler = new Compiler.ProtoDefCompiler();
  const rest = (bytes: Buffer, at: number) => ({ value: bytes.subarray(at), size: bytes.length - at });
  const copy = (value: Buffer, into: Buffer, at: number) => at + value.copy(into, at);
  compiler.addTypes({
    Read: {
      UUID: ['native', (bytes: Buffer, at: number) => ({ value: bytes.subarray(at, at + 16), size: 16 })],
      restBuffer: ['native', rest],
      optionalNbt: ['native', () => ({ value: undefined, size: 1 })],
      nbt: ['native', () => ({ value: undefined, size: 1 })],
      entityMetadataLoop: [
        'parametrizable',
        (compiler: ReadCompiler, { type, endVal }: Loop) =>
          compiler.wrapCode(
            `const data = []; for (let at = offset; ; ) { if (buffer[at] === ${endVal}) return { value: data, size: at + 1 - offset };
             const each = ((offset) => ${compiler.callType(type)})(at); data.push(each.value); at += each.size; }`,
          ),
      ],
    },
    Write: {
      UUID: ['native', copy],
      restBuffer: ['native', copy],
      optionalNbt: ['native', (_: unknown, into: Buffer, at: number) => into.writeUInt8(0, at)],
      nbt: ['native', (_: unknown, into: Buffer, at: number) => into.writeUInt8(0, at)],
      entityMetadataLoop: [
        'parametrizable',
        (compiler: WriteCompiler, { type, endVal }: Loop) =>
          compiler.wrapCode(
            `for (const each of value) offset = ${compiler.callType('each', type)}; return buffer.writeUInt8(${endVal}, offset);`,
          ),
      ],
    },
    SizeOf: {
      UUID: ['native', 16],
      restBuffer: ['native', (value: Buffer) => value.length],
      optionalNbt: ['native', 1],
      nbt: ['native', 1],
      entityMetadataLoop: [
        'parametrizable',
        (compiler: WriteCompiler, { type }: Loop) =>
          compiler.wrapCode(
            `let size = 1; for (const each of value) size += ${compiler.callType('each', type)}; return size;`,
          ),
      ],
    },
  });
  const natives = ['varlong', 'UUID', 'restBuffer', 'optionalNbt', 'nbt', 'entityMetadataLoop'];
  const types = Object.entries({ ...source.types, ...source[state][to].types }).filter(
    ([name, type]) => type !== 'native' && !natives.includes(name),
  );
  compiler.addTypesToCompile({
    ...Object.fromEntries(types),
    position: 'i64',
    varlong: 'varint64',
    framed: ['buffer', { countType: 'varint' }],
  });
  return compiler.compileProtoDefSync();
}
