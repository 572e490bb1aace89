import { Command } from 'commander';
import { chatAccount } from './account.ts';
import { chatBasic } from './basic.ts';

/** `wirechart chat` */
export function chat(): Command {
  return new Command('chat').description('talk to others').addCommand(chatBasic()).addCommand(chatAccount());
}
