import type { MakeHandlers } from '../../../src/transport/session.ts';
import type { declare } from './quiz.ts';

/** Says each question again, and has enough of the number 13. */
export const quizHandlers: MakeHandlers<ReturnType<typeof declare>['frames']> = () => ({
  HELLO: () => ({ type: 'server.WELCOME' }),
  ASK: ({ id, words }) =>
    id === 13
      ? { type: 'server.ENOUGH' }
      : { type: 'server.ANSWER', id, text: words.map(({ text }) => text).join(' ') },
  OTHER: () => undefined,
});
