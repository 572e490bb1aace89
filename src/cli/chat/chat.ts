import { Command } from 'commander';
import { chatAccount } from '../../protocols/account-chat/commands/chat.ts';
import { chatBasic } from '../../protocols/basic-chat/commands/chat.ts';

/** `wirechart chat` */
export function chat(): Command {
  return new Command('chat').description('talk to others').addCommand(chatBasic()).addCommand(chatAccount());
}
