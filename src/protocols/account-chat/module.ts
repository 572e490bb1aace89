import { address, count, defineModule, Failure, toggle, value } from '../../cli/index.ts';
import { accountChat } from './protocol.ts';

/** account-chat on the command line. */
export const accountChatModule = defineModule({
  protocol: accountChat,
  serve: {
    help: 'accounts, and messages that wait for their login',
    flags: {
      data: value('<file>', 'the accounts and what waits for them, in one database file', {
        default: './accounts.db',
      }),
      maxWaiting: value('<count>', 'messages that wait for one account; one more is refused', {
        read: count,
        default: '1000',
      }),
      registration: toggle('accounts are not registered over the wire', { negated: true }),
      maxRegistrations: value('<count>', 'accounts that one address may register in an hour', {
        read: count,
        default: '10000',
      }),
      grpc: value('<[host:]port>', 'the same accounts over gRPC (default host: that of the server)', {
        read: address,
      }),
      privateDirectory: toggle('names are listed for those only who are logged in'),
    },
    workers: 'Who is logged in is known to one process',
    async open({ data, maxWaiting, registration, maxRegistrations, privateDirectory, grpc }, host) {
      // Native code: the database, and the hash of passwords. Who only draws or verifies the protocol needs none.
      const { accountChatHandlers } = await import('./handlers.ts');
      const { openPasswords } = await import('../../passwords/index.ts');
      const table = grpc && (await import('./grpc/user-table.ts'));
      const passwords = await openPasswords();
      const accounts = await openAccounts(data, maxWaiting);
      const handlers = accountChatHandlers({
        accounts,
        passwords,
        registrations: registration ? maxRegistrations : 0,
        privateDirectory,
        onFault: (error) => host.log.error('a request could not be done', error),
      });
      return {
        handlers,
        ...(table && {
          async beside(how) {
            const served = await table.serveUserTable(handlers, {
              ...how,
              ...grpc,
              host: grpc.host ?? how.host,
            });
            host.log.info(`gRPC at ${served.address}`);
            return served;
          },
        }),
        close: () => accounts.close(),
      };
    },
  },
  commands: { 'chat account': () => import('./commands/chat.ts') },
});

async function openAccounts(data: string, maxWaiting: number) {
  const { AccountsFileError, openLibsqlAccounts } = await import('./accounts/libsql-accounts.ts');
  try {
    return await openLibsqlAccounts(data, { maxWaiting });
  } catch (error) {
    throw error instanceof AccountsFileError ? new Failure(error.message) : error;
  }
}
