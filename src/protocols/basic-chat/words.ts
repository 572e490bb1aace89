/** What the server calls itself in a DELIVER. */
export const SERVER_NAME = '[Server]';

const UNCLEAN = /[^\t\n -~]/g;

/** A message without the characters that the protocol does not carry. */
export function cleanMessage(message: string): string {
  return message.replace(UNCLEAN, '');
}
