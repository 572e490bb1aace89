import { Command } from 'commander';
import { serveAccountChat } from '../../protocols/account-chat/commands/serve.ts';
import { serveBasicChat } from '../../protocols/basic-chat/commands/serve.ts';
import { serveMessageLog } from '../../protocols/message-log/commands/serve.ts';

/** `wirechart serve` */
export function serve(): Command {
  return new Command('serve')
    .description('run a server')
    .addCommand(serveMessageLog(), { isDefault: true })
    .addCommand(serveBasicChat())
    .addCommand(serveAccountChat());
}
