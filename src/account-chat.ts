/**
 * account-chat: accounts with passwords, and messages that wait for the next login.
 *
 * @packageDocumentation
 */
export { type AccountChatService, accountChatHandlers } from './handlers/account-chat.ts';
export { accountChatMachine } from './machine/account-chat.ts';
export type { Accounts, Enqueued, WaitingMessage } from './store/accounts/accounts.ts';
export {
  AccountsFileError,
  type AccountsFileProblem,
  type LibsqlAccountsOptions,
  openLibsqlAccounts,
} from './store/accounts/libsql-accounts.ts';
export {
  openPasswords,
  type PasswordOptions,
  type Passwords,
  PasswordsBusy,
} from './store/accounts/passwords.ts';
export { accountChat } from './transport/account-chat.ts';
