import { setup } from 'xstate';

/**
 * The order of account-chat: who may ask what before and after login. Every request is answered by one SUC
 * or ERR; NMS may come at any time between them while logged in, also while a reply is due, since it may
 * have crossed the request on the wire.
 *
 * A list may take several frames: PART is a suc frame that says that another follows (it ends in ","), SUC is
 * the last one.
 */
export const accountChatMachine = setup({
  types: {
    events: {} as {
      type:
        | 'transport.accept'
        | 'transport.end'
        | 'transport.timeout'
        | 'client.REG'
        | 'client.LOG'
        | 'client.DEL'
        | 'client.ACD'
        | 'client.ACF'
        | 'client.MSG'
        | 'server.PART'
        | 'server.SUC'
        | 'server.ERR'
        | 'server.NMS';
    },
    tags: {} as 'client' | 'server',
    meta: {} as { clause: string },
  },
}).createMachine({
  id: 'account-chat',
  description: 'Accounts with passwords; a message to a user who is offline waits until the next login.',
  initial: 'connecting',
  on: { 'transport.end': '.closed', 'transport.timeout': '.closed' },
  states: {
    connecting: {
      description: 'No connection yet',
      on: { 'transport.accept': 'anonymous' },
    },
    anonymous: {
      id: 'anonymous',
      description: 'Not logged in',
      meta: { clause: 'Not logged in: reg, log, acd, acf.' },
      initial: 'awaiting',
      states: {
        awaiting: {
          description: 'The client may ask',
          tags: 'client',
          on: {
            'client.REG': 'judging',
            'client.ACD': 'listing',
            'client.ACF': 'listing',
            'client.LOG': 'login',
          },
        },
        judging: {
          description: 'The server owes an answer',
          tags: 'server',
          on: { 'server.SUC': 'awaiting', 'server.ERR': 'awaiting' },
        },
        listing: {
          description: 'The server owes a list, or the rest of it',
          meta: { clause: 'A suc frame that ends in "," is continued in the next.' },
          tags: 'server',
          on: { 'server.PART': 'listing', 'server.SUC': 'awaiting', 'server.ERR': 'awaiting' },
        },
        login: {
          description: 'The server owes the answer to a login',
          tags: 'server',
          on: { 'server.SUC': '#authenticated', 'server.ERR': 'awaiting' },
        },
      },
    },
    authenticated: {
      id: 'authenticated',
      description: 'Logged in',
      meta: { clause: 'Logged in: reg, del, acd, acf, msg; nms may come at any time between the replies.' },
      initial: 'awaiting',
      states: {
        awaiting: {
          description: 'The client may ask, the server may push',
          tags: 'client',
          on: {
            'client.REG': 'judging',
            'client.ACD': 'listing',
            'client.ACF': 'listing',
            'client.MSG': 'judging',
            'client.DEL': 'deleting',
            'server.NMS': 'awaiting',
          },
        },
        judging: {
          description: 'The server owes an answer',
          tags: 'server',
          on: { 'server.SUC': 'awaiting', 'server.ERR': 'awaiting', 'server.NMS': 'judging' },
        },
        listing: {
          description: 'The server owes a list, or the rest of it',
          meta: { clause: 'A suc frame that ends in "," is continued in the next.' },
          tags: 'server',
          on: {
            'server.PART': 'listing',
            'server.SUC': 'awaiting',
            'server.ERR': 'awaiting',
            'server.NMS': 'listing',
          },
        },
        deleting: {
          description: 'The server owes the answer to a deletion',
          tags: 'server',
          on: { 'server.SUC': '#anonymous', 'server.ERR': 'awaiting', 'server.NMS': 'deleting' },
        },
      },
    },
    closed: { description: 'Gone: the end of a connection is a logout', type: 'final' },
  },
});
