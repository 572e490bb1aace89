import { createConnection } from 'node:net';
import { expect, test } from 'vitest';
import type { Session } from '../../src/transport/session.ts';
import { listen } from '../../src/transport/socket/listen.ts';
import { StepCounts } from '../../src/transport/step-counts.ts';
import { drawing, randomHandlers, randomInput, randomProtocol } from './declarations.ts';

const SEED = 0x50c1;
const PROTOCOLS = 40;
const CLIENTS = 25;

/** The same as in memory, over sockets: clients that send anything and go at any byte. */
test(`${PROTOCOLS * CLIENTS} dialogues of random declarations over sockets leave nothing behind (seed ${SEED})`, async () => {
  const draw = drawing(SEED);
  const escaped: unknown[] = [];
  const note = (error: unknown) => escaped.push(error);
  process.on('uncaughtException', note).on('unhandledRejection', note);
  try {
    for (let number = 0; number < PROTOCOLS; number++) {
      const protocol = randomProtocol(draw);
      const stepCounts = new StepCounts(protocol.table);
      const later: (() => void)[] = [];
      const standing = new Set<Session<never>>();
      const server = await listen(
        protocol,
        (session) => {
          standing.add(session as never);
          return randomHandlers(protocol, draw, session, later) as never;
        },
        {
          host: '127.0.0.1',
          port: 0,
          lingerTimeout: 50,
          handshakeTimeout: 100,
          idleTimeout: 100,
          stepCounts,
        },
      );
      const clients = Array.from({ length: CLIENTS }, async () => {
        const socket = createConnection({ port: server.port, host: '127.0.0.1' });
        socket.on('error', () => {}).resume();
        const closed = new Promise((resolve) => socket.on('close', resolve));
        for (let turn = draw(6); turn > 0 && !socket.destroyed; turn--) {
          const [some] = standing;
          if (some !== undefined) socket.write(randomInput(protocol, draw, some as never));
          later.shift()?.();
          await new Promise(setImmediate);
        }
        if (draw(2) === 0) socket.destroy();
        else socket.end();
        return { closed };
      });
      const gone = await Promise.all(clients);
      for (const late of later) late();
      // A handler that never answers holds its client until then.
      await server.close();
      await Promise.all(gone.map(({ closed }) => closed));
      expect(server.sessions.size).toBe(0);
      expect([...stepCounts.standing]).toEqual([...stepCounts.standing].fill(0));
      expect([...standing].every((session) => session.over)).toBe(true);
    }
  } finally {
    process.off('uncaughtException', note).off('unhandledRejection', note);
  }
  expect(escaped).toEqual([]);
}, 60_000);
