import { defineModule, value } from 'wirechart/cli';
import { redisHandlers } from './handlers.ts';
import { redis } from './protocol.ts';

export default defineModule({
  protocol: redis,
  serve: {
    help: 'a database of strings, in memory',
    flags: { password: value('<text>', 'what AUTH must say', { default: 'sesame' }) },
    open: ({ password }) => ({ handlers: redisHandlers(password) }),
  },
});
