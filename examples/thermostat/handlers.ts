import type { MakeHandlers } from 'wirechart';
import type { thermostat } from './protocol.ts';

export function thermostatHandlers(pin: string): MakeHandlers<typeof thermostat.frames> {
  let degrees = 20;
  return () => ({
    UNLOCK: (message) =>
      message.pin === pin ? { type: 'server.OK' } : { type: 'server.NO', reason: 'wrong PIN' },
    SET(message) {
      if (message.degrees < 5) return { type: 'server.NO', reason: 'the pipes would freeze' };
      degrees = message.degrees;
      return { type: 'server.OK' };
    },
    READ: () => ({ type: 'server.DEGREES', degrees }),
  });
}
