import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { ServerTls } from 'wirechart';
import { defineModule, EXIT, Failure, value } from 'wirechart/cli';
import { usersOf } from './credentials.ts';
import { maildir } from './maildir.ts';
import { postOffice } from './post-office.ts';
import { smtp } from './protocol.ts';

export default defineModule({
  protocol: smtp,
  serve: {
    help: 'a post office that delivers into a folder',
    idleTimeout: 300_000,
    flags: {
      folder: value('<folder>', 'where mails are put, a maildir', { default: 'mail' }),
      users: value('<file>', 'who may log in, and must: lines of NAME:PASSWORD'),
      starttlsCert: value('<file>', 'certificate for STARTTLS, PEM'),
      starttlsKey: value('<file>', 'its key, PEM'),
    },
    open({ folder, users, starttlsCert, starttlsKey }, { log }) {
      if ((starttlsCert === undefined) !== (starttlsKey === undefined))
        throw new Failure('STARTTLS needs both --starttls-cert and --starttls-key', EXIT.usage);
      const name = hostname();
      return {
        handlers: postOffice({
          hostname: name,
          deliver: maildir(folder, name),
          isUser: users === undefined ? undefined : usersOf(readFileSync(users, 'utf8').split(/\r?\n/)),
          tls:
            starttlsCert === undefined || starttlsKey === undefined
              ? undefined
              : new ServerTls({ cert: readFileSync(starttlsCert), key: readFileSync(starttlsKey) }),
          failed: (error) => log.error('a mail could not be delivered', error),
        }),
      };
    },
    workers: {},
  },
});
