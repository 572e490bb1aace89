import type { MessageLog } from '../../src/protocols/message-log/log/message-log.ts';

/** A log that is kept elsewhere: `take` has what is appended, and answers how much of it it takes. Default: all. */
export function memoryLog(
  take: (name: string, messages: readonly Buffer[]) => number = (_, { length }) => length,
): MessageLog {
  return {
    writer: ({ name }) => ({
      append: (messages, answer) =>
        answer(
          take(
            String(Buffer.from(name)),
            [...messages].map((message) => Buffer.from(message)),
          ),
        ),
    }),
    reopen: async () => {},
    close: async () => {},
  };
}
