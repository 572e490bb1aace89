import { matches } from 'wirechart/fields';

/** A mailbox, with its domain or without; in quotes it may hold anything printable. */
const MAILBOX = String.raw`(?:"(?:[^"\\\x00-\x1f\x7f]|\\[ -~])*"|[^\s<>"@,:;\\]+)(?:@[^\s<>@,]+)?`;
/** A route in front is allowed, and ignored (RFC 5321, appendix C). */
const PATH = String.raw`<(?:@[^\s<>:]+:)?(${MAILBOX})>`;
const PARAMETERS = String.raw`((?: +[A-Za-z0-9][A-Za-z0-9-]*(?:=[!-<>-~]+)?)*)[ \t]*`;
const SENDER = new RegExp(`^FROM:(?:<>|${PATH})${PARAMETERS}$`, 'i');
const RECIPIENT = new RegExp(`^TO:${PATH}${PARAMETERS}$`, 'i');

export const isSender = matches(SENDER, 'is FROM:<ann@example.org>, and parameters');
export const isRecipient = matches(RECIPIENT, 'is TO:<bob@example.org>, and parameters');
export const isSomebody = matches(/\S/, 'names somebody');

/** What a MAIL or a RCPT says. */
export interface Path {
  /** Empty for the sender of a notice (`<>`). */
  readonly mailbox: string;
  /** By their names, in capitals; empty where they have no value. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Reads what is behind MAIL or RCPT. */
export function pathOf(rest: string): Path {
  const [, mailbox = '', parameters = ''] = SENDER.exec(rest) ?? RECIPIENT.exec(rest) ?? [];
  const words = parameters.split(' ').filter(Boolean);
  return {
    mailbox,
    parameters: new Map(
      words.map((word) => {
        const [name = '', value = ''] = word.split(/=(.*)/s);
        return [name.toUpperCase(), value];
      }),
    ),
  };
}
