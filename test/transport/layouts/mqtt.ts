import {
  above,
  bits,
  bytes,
  flag,
  frame,
  is,
  isBits,
  list,
  presence,
  present,
  record,
  secret,
  text,
  u8,
  u16be,
  ubits,
  varint,
  when,
  within,
} from '../../../src/transport/fields/index.ts';

/** Largest packet behind its fixed header that is read. */
const remaining = varint({ max: 262_144 });
const id = u16be({ min: 1 });
const string = text('u16be');
/** Acknowledgements are a packet id. */
const acknowledgement = (first: number) => frame(is(u8(), first), within(remaining, { id }));
const bare = (first: number) => frame(is(u8(), first), is(u8(), 0));

const publish = frame(
  bits({ kind: isBits(3, 4), dup: flag(), qos: ubits(2, { max: 2 }), retain: flag() }),
  within(remaining, { topic: string }, when('qos', above(0), { id }), { payload: bytes('rest') }),
);

/** MQTT 3.1.1, all fourteen packets, by who may send them. */
export const mqtt = {
  client: {
    CONNECT: frame(
      is(u8(), 0x10),
      within(
        remaining,
        is(text('u16be'), 'MQTT'),
        is(u8(), 4),
        bits({
          hasUsername: presence('username'),
          hasPassword: presence('password'),
          willRetain: flag(),
          willQos: ubits(2, { max: 2 }),
          hasWill: presence('will'),
          cleanSession: flag(),
          reserved: isBits(0, 1),
        }),
        { keepAlive: u16be(), clientId: string },
        when('will', present, { will: record({ topic: string, payload: bytes('u16be') }) }),
        when('username', present, { username: string }),
        when('password', present, { password: secret(bytes('u16be')) }),
      ),
    ),
    PUBLISH: publish,
    PUBACK: acknowledgement(0x40),
    PUBREC: acknowledgement(0x50),
    PUBREL: acknowledgement(0x62),
    PUBCOMP: acknowledgement(0x70),
    SUBSCRIBE: frame(
      is(u8(), 0x82),
      within(
        remaining,
        { id },
        { filters: list('rest', record({ topic: string, qos: u8({ max: 2 }) }), { min: 1 }) },
      ),
    ),
    UNSUBSCRIBE: frame(
      is(u8(), 0xa2),
      within(remaining, { id }, { filters: list('rest', string, { min: 1 }) }),
    ),
    PINGREQ: bare(0xc0),
    DISCONNECT: bare(0xe0),
  },
  server: {
    CONNACK: frame(
      is(u8(), 0x20),
      within(remaining, bits({ reserved: isBits(0, 7), sessionPresent: flag() }), { code: u8({ max: 5 }) }),
    ),
    PUBLISH: publish,
    PUBACK: acknowledgement(0x40),
    PUBREC: acknowledgement(0x50),
    PUBREL: acknowledgement(0x62),
    PUBCOMP: acknowledgement(0x70),
    SUBACK: frame(is(u8(), 0x90), within(remaining, { id }, { codes: list('rest', u8(), { min: 1 }) })),
    UNSUBACK: acknowledgement(0xb0),
    PINGRESP: bare(0xd0),
  },
};
