import { count, defineModule, fileMode, value } from '../../cli/index.ts';
import { LineLog } from './commands/room-log.ts';
import { basicChatHandlers } from './handlers.ts';
import { basicChat } from './protocol.ts';
import { MOST_WAITING } from './room.ts';
import { webPage } from './web-page.ts';

/** basic-chat on the command line. */
export const basicChatModule = defineModule({
  protocol: basicChat,
  serve: {
    help: 'a chat room',
    flags: {
      log: value('<file>', 'append registrations, messages and disconnects to this file (default: stdout)', {
        short: 'l',
      }),
      logMode: value(
        '<mode>',
        'permissions of a log that is made (default: 0640), less what the umask takes',
        {
          read: fileMode,
        },
      ),
      mostWaiting: value(
        '<count>',
        'messages that wait for a client who acknowledges none; with one more it is disconnected',
        { read: count, default: String(MOST_WAITING) },
      ),
    },
    idleTimeout: 60_000,
    page: webPage,
    workers: 'The room is kept by one process',
    open(options, host) {
      const log = new LineLog(options.log, (reason) => host.alarm(reason), options.logMode);
      return {
        handlers: basicChatHandlers({ log, mostWaiting: options.mostWaiting }),
        reopen() {
          if (options.log !== undefined) log.reopen();
        },
        close: () => log.close(),
      };
    },
  },
  commands: { 'chat basic': () => import('./commands/chat.ts') },
});
