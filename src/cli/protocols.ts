import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { accountChat } from '../protocols/account-chat/protocol.ts';
import { basicChat } from '../protocols/basic-chat/protocol.ts';
import { messageLog } from '../protocols/message-log/protocol.ts';
import type { AnyProtocol } from '../transport/protocol.ts';
import { EXIT, Failure } from './failure.ts';

/** The protocols that come with wirechart, under their names on the command line. */
export const builtIn: ReadonlyMap<string, AnyProtocol> = new Map(
  [messageLog, basicChat, accountChat].map((protocol) => [protocol.name, protocol]),
);

/**
 * A protocol by name, or one's own by the path of a module that exports it (default export, or the only one).
 *
 * @throws Failure naming what is known, or what the module lacks.
 */
export async function loadProtocol(name: string): Promise<AnyProtocol> {
  const known = builtIn.get(name);
  if (known !== undefined) return known;
  const path = resolve(name);
  if (!existsSync(path)) {
    throw new Failure(
      `no protocol is called ${name}: expected ${[...builtIn.keys()].join(', ')}, or the path of a module that exports one`,
      EXIT.usage,
    );
  }
  const exports: Readonly<Record<string, unknown>> = await import(pathToFileURL(path).href).catch(
    (error: unknown) => {
      throw new Failure(`cannot load ${name}: ${error instanceof Error ? error.message : error}`);
    },
  );
  const protocols = [...new Set(Object.values(exports).filter(isProtocol))];
  const [only] = protocols;
  if (isProtocol(exports['default'])) return exports['default'];
  if (only !== undefined && protocols.length === 1) return only;
  throw new Failure(
    `${name} exports ${protocols.length === 0 ? 'no protocol' : 'several protocols'}: make what defineProtocol returns its default export`,
  );
}

/** What `defineProtocol` returned, perhaps by another copy of wirechart than this one. */
function isProtocol(value: unknown): value is AnyProtocol {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['name', 'machine', 'table', 'frames', 'decoder', 'samples'].every((key) => key in value)
  );
}
