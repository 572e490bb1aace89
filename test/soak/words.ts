import { accountChat } from '../../src/protocols/account-chat/protocol.ts';
import { basicChat } from '../../src/protocols/basic-chat/protocol.ts';
import { messageLog } from '../../src/protocols/message-log/protocol.ts';

/** The servers that are attacked. */
export type Name = 'message-log' | 'basic-chat' | 'account-chat';

const bytes = (text: string) => Buffer.from(text, 'latin1');

/** Frames of the clients. */
export const log = {
  name: (name: string) => messageLog.encode({ type: 'client.NAME', payload: bytes(name) }).bytes,
  password: (password: string) =>
    messageLog.encode({ type: 'client.PASSWORD', payload: bytes(password) }).bytes,
  message: (text: string) => messageLog.encode({ type: 'client.MESSAGE', payload: bytes(text) }).bytes,
};
export const room = {
  register: (username: string) => basicChat.encode({ type: 'client.REGISTER', username }).bytes,
  send: (message: string) => basicChat.encode({ type: 'client.SEND', message }).bytes,
  acknowledge: Buffer.of(4, 0),
};
export const accounts = {
  register: (username: string) =>
    accountChat.encode({ type: 'client.REG', username, password: 'right' }).bytes,
  login: (username: string, password = 'right') =>
    accountChat.encode({ type: 'client.LOG', username, password }).bytes,
  message: (toUsername: string, content: string) =>
    accountChat.encode({ type: 'client.MSG', toUsername, content }).bytes,
  list: accountChat.encode({ type: 'client.ACD' }).bytes,
};
