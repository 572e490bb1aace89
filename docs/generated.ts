import { existsSync, readFileSync } from 'node:fs';
import { svgOf } from '../src/diagram/index.ts';
import { accountChat } from '../src/protocols/account-chat/protocol.ts';
import { basicChat } from '../src/protocols/basic-chat/protocol.ts';
import { messageLog } from '../src/protocols/message-log/protocol.ts';
import { manPage } from './man-page.ts';
import { protocolPage } from './protocol-page.ts';

/** Every generated file of `docs`, by its path there, with what it should hold. */
export async function generated(): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const protocol of [messageLog, basicChat, accountChat]) {
    const { name, machine } = protocol;
    files.set(`protocols/${name}.md`, protocolPage(protocol, notesOn(name)));
    files.set(`images/${name}.svg`, await svgOf(machine, { detail: 'overview' }));
    files.set(`images/${name}-narrow.svg`, await svgOf(machine, { detail: 'overview', direction: 'down' }));
    files.set(`images/${name}-full.svg`, await svgOf(machine));
  }
  files.set('wirechart.1', manPage());
  return files;
}

function notesOn(name: string): string {
  const file = new URL(`notes/${name}.md`, import.meta.url);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
