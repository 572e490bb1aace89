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
} from './handlers.ts';
export { basicChatMachine } from './machine.ts';
export { basicChat } from './protocol.ts';
