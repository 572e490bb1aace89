import { Command } from 'commander';
import { count } from '../../../cli/arguments.ts';
import { Failure } from '../../../cli/failure.ts';
import { type HostOptions, host, withHostFlags } from '../../../cli/serve/host.ts';
import { accountChat } from '../protocol.ts';

interface Options extends HostOptions {
  readonly data: string;
  readonly maxWaiting: number;
}

/** `wirechart serve account-chat` */
export function serveAccountChat(): Command {
  const command = withHostFlags(new Command('account-chat'), {
    handshake: false,
    alone: 'Who is logged in is known to one process',
  })
    .description('accounts, and messages that wait for their login (port 5000)')
    .option('--data <file>', 'the accounts and what waits for them, in one database file', './accounts.db')
    .option('--max-waiting <count>', 'messages that wait for one account; one more is refused', count, 1000);
  return command.action(async (port: number | undefined, options: Options) => {
    await host({ ...options, port: port ?? options.port }, async (diagnostics) => {
      // Every command would start a tenth later for its native code: the database, and the hash of passwords.
      const { accountChatHandlers } = await import('../handlers.ts');
      const { openPasswords } = await import('../accounts/passwords.ts');
      const passwords = await openPasswords();
      const accounts = await openAccounts(options);
      return {
        protocol: accountChat,
        open: accountChatHandlers({
          accounts,
          passwords,
          onFault: (error) => diagnostics.logger.error({ err: error }, 'a request could not be done'),
        }),
        reopen: async () => diagnostics.reopen(),
        close: () => accounts.close(),
      };
    });
  });
}

async function openAccounts({ data, maxWaiting }: Options) {
  const { AccountsFileError, openLibsqlAccounts } = await import('../accounts/libsql-accounts.ts');
  try {
    return await openLibsqlAccounts(data, { maxWaiting });
  } catch (error) {
    throw error instanceof AccountsFileError ? new Failure(error.message) : error;
  }
}
