import * as f from 'wirechart/fields';
import { filter, string, topic } from './topics.ts';

const { frame, is, isBits, u8, when, within } = f;
/** Bytes behind the fixed header: 256 KiB, where MQTT would allow 256 MiB. */
const remaining = f.varint({ max: 256 * 1024 });
const id = f.u16be({ min: 1 });
const several = <T>(field: f.Field<T>) => f.list('rest', field, { min: 1 });
const subscription = f.record({ filter, qos: u8({ max: 2 }) });
const payload = f.bytes('rest');
const isPublish = isBits(3, 4);

const acknowledgement = (first: number) => frame(is(u8(), first), within(remaining, { id }));
const bare = (first: number) => frame(is(u8(), first), is(u8(), 0));
const acknowledged = (qos: number) =>
  frame(
    f.bits({ isPublish, dup: f.flag(), qos: isBits(qos, 2), retain: f.flag() }),
    within(remaining, { topic }, { id }, { payload }),
  );

/** MQTT 3.1.1 on the wire. */
export const frames = {
  'client.CONNECT': frame(
    is(u8(), 0x10),
    within(
      remaining,
      is(f.text('u16be'), 'MQTT'),
      { level: u8() },
      when(
        'level',
        f.equals(4),
        f.bits({
          hasUsername: f.presence('username'),
          hasPassword: f.presence('password'),
          willRetain: f.flag(),
          willQos: f.ubits(2, { max: 2 }),
          hasWill: f.presence('will'),
          cleanSession: f.flag(),
          reserved: isBits(0, 1),
        }),
        { keepAlive: f.u16be(), clientId: string },
        when('will', f.present, { will: f.record({ topic, payload: f.bytes('u16be') }) }),
        when('username', f.present, { username: string }),
        when('password', f.present, { password: f.secret(f.bytes('u16be')) }),
      ),
      when('level', f.not(f.equals(4)), { another: f.bytes('rest') }),
    ),
  ),
  'client.PUBLISH0': frame(
    f.bits({ isPublish, neitherDupNorQos: isBits(0, 3), retain: f.flag() }),
    within(remaining, { topic }, { payload }),
  ),
  'client.PUBLISH1': acknowledged(1),
  'client.PUBLISH2': acknowledged(2),
  'client.PUBACK': acknowledgement(0x40),
  'client.PUBREC': acknowledgement(0x50),
  'client.PUBREL': acknowledgement(0x62),
  'client.PUBCOMP': acknowledgement(0x70),
  'client.SUBSCRIBE': frame(is(u8(), 0x82), within(remaining, { id }, { filters: several(subscription) })),
  'client.UNSUBSCRIBE': frame(is(u8(), 0xa2), within(remaining, { id }, { filters: several(filter) })),
  'client.PINGREQ': bare(0xc0),
  'client.DISCONNECT': bare(0xe0),
  'server.CONNACK': frame(
    is(f.u16be(), 0x2002),
    f.bits({ reserved: isBits(0, 7), sessionPresent: f.flag() }),
    is(u8(), 0),
  ),
  'server.REFUSAL': frame(is(f.u24be(), 0x200200), { code: u8({ min: 1, max: 5 }) }),
  'server.PUBLISH': frame(
    f.bits({ isPublish, dup: f.flag(), qos: f.ubits(2, { max: 2 }), retain: f.flag() }),
    within(remaining, { topic }, when('qos', f.above(0), { id }), { payload }),
  ),
  'server.PUBACK': acknowledgement(0x40),
  'server.PUBREC': acknowledgement(0x50),
  'server.PUBREL': acknowledgement(0x62),
  'server.PUBCOMP': acknowledgement(0x70),
  'server.SUBACK': frame(is(u8(), 0x90), within(remaining, { id }, { codes: several(u8()) })),
  'server.UNSUBACK': acknowledgement(0xb0),
  'server.PINGRESP': bare(0xd0),
};
