/**
 * account-chat: accounts with passwords, and messages that wait for the next login.
 *
 * @packageDocumentation
 */

export type { Accounts, Enqueued, WaitingMessage } from './accounts/accounts.ts';
export {
  AccountsFileError,
  type AccountsFileProblem,
  type LibsqlAccountsOptions,
  openLibsqlAccounts,
} from './accounts/libsql-accounts.ts';
export type { BudgetOptions } from './budget.ts';
export { type AccountChatService, accountChatHandlers, type Presence } from './handlers.ts';
export { accountChatMachine } from './machine.ts';
export { accountChat } from './protocol.ts';
