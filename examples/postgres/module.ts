import { defineModule, value } from 'wirechart/cli';
import { postgresHandlers } from './handlers.ts';
import { postgres } from './protocol.ts';

export default defineModule({
  protocol: postgres,
  serve: {
    help: 'five canned answers in the words of PostgreSQL',
    flags: { password: value('<text>', 'what a client must say; without it nobody is asked') },
    open: ({ password }) => ({ handlers: postgresHandlers(password) }),
  },
});
