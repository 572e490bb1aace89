import type { Samples } from 'wirechart';
import { COPY_IN, NUMBERS } from './canned.ts';
import type { frames } from './frames.ts';

/** Messages to try a server with. */
export function postgresSamples(): Samples<typeof frames> {
  const parameters = [
    { name: 'user', value: 'postgres' },
    { name: 'database', value: 'postgres' },
  ];
  return {
    messages: {
      SSL_REQUEST: { message: { type: 'client.SSL_REQUEST' }, answer: 'server.ENCRYPTION' },
      CANCEL: { message: { type: 'client.CANCEL', process: 1, key: 0 } },
      STARTUP: {
        message: { type: 'client.STARTUP', parameters },
        answer: ['server.AUTHENTICATED', 'server.ASK_PASSWORD', 'server.ASK_MD5', 'server.ASK_SASL'],
        pushes: ['server.READY'],
      },
      QUERY: { message: { type: 'client.QUERY', query: NUMBERS }, answer: 'server.ROW_DESCRIPTION' },
      'QUERY/copy-in': { message: { type: 'client.QUERY', query: COPY_IN }, answer: 'server.COPY_IN' },
    },
    malformed: {},
  };
}
