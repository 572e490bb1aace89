import { Command } from 'commander';
import { count } from '../../../cli/arguments.ts';
import { type HostOptions, host, withHostFlags } from '../../../cli/serve/host.ts';
import { basicChatHandlers, MOST_WAITING } from '../handlers.ts';
import { basicChat } from '../protocol.ts';
import { LineLog } from './room-log.ts';

interface Options extends HostOptions {
  readonly log?: string;
  readonly mostWaiting: number;
}

/** `wirechart serve basic-chat` */
export function serveBasicChat(): Command {
  const command = withHostFlags(new Command('basic-chat'), {
    idleTimeout: '60',
    alone: 'The room is kept by one process',
  })
    .description('a chat room (port 9001)')
    .option(
      '-l, --log <file>',
      'append registrations, messages and disconnects to this file (default: stdout)',
    )
    .option(
      '--most-waiting <count>',
      'messages that wait for a client who acknowledges none; with one more it is disconnected',
      count,
      MOST_WAITING,
    );
  return command.action(async (port: number | undefined, options: Options) => {
    await host({ ...options, port: port ?? options.port }, async (diagnostics) => {
      // On stderr: an outage must be seen even when stdout goes nowhere.
      const log = new LineLog(options.log, (reason) => process.stderr.write(`wirechart: ${reason}\n`));
      return {
        protocol: basicChat,
        open: basicChatHandlers({ log, mostWaiting: options.mostWaiting }),
        async reopen() {
          diagnostics.reopen();
          if (options.log !== undefined) log.reopen();
        },
        close: () => log.close(),
      };
    });
  });
}
