/**
 * basic-chat, a chat room: register a name, send messages, acknowledge what the others sent.
 *
 * @packageDocumentation
 */
export {
  basicChatHandlers,
  cleanMessage,
  type RoomLog,
  type RoomOptions,
  SERVER_NAME,
} from './handlers/basic-chat.ts';
export { basicChatMachine } from './machine/basic-chat.ts';
export { basicChat } from './transport/basic-chat.ts';
