import { Command } from 'commander';
import { serveAccountChat } from './account-chat.ts';
import { serveBasicChat } from './basic-chat.ts';
import { serveMessageLog } from './message-log.ts';

/** `wirechart serve` */
export function serve(): Command {
  return new Command('serve')
    .description('run a server')
    .addCommand(serveMessageLog(), { isDefault: true })
    .addCommand(serveBasicChat())
    .addCommand(serveAccountChat());
}
