/**
 * basic-chat, a chat room: register a name, send messages, acknowledge what the others sent.
 *
 * @packageDocumentation
 */
export {
  basicChatHandlers,
  type RoomLog,
  type RoomOptions,
} from './handlers.ts';
export { basicChatMachine } from './machine.ts';
export { basicChat } from './protocol.ts';
export { cleanMessage, SERVER_NAME } from './words.ts';
