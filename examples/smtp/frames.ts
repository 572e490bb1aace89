import * as f from 'wirechart/fields';
import { isRecipient, isSender, isSomebody } from './addresses.ts';

const { frame, line, matches, replyLines, secret, such, word } = f;
/** As long as an AUTH may be (RFC 4954, 4): a longer line is answered by 500, and is the last. */
const MOST = 12_288;
const rest = line({ separator: ' ', max: MOST });
const name = such(rest, matches(/^[!-~]+$/, 'is a name or an address'), 'localhost');
const bare = { rest: such(rest, matches(/^[ \t]*$/, 'is empty'), '') };
const reply = (min: number, max = min) => frame({ reply: replyLines({ min, max }) });

/** SMTP (RFC 5321) with AUTH, STARTTLS, SIZE, 8BITMIME and PIPELINING, as lines. */
export const smtpFrames = {
  'client.EHLO': frame(word('EHLO'), { name }),
  'client.HELO': frame(word('HELO'), { name }),
  'client.AUTH': frame(word('AUTH'), { rest: secret(rest) }),
  'client.RESPONSE': frame({ text: secret(line({ max: MOST })) }),
  'client.MAIL': frame(word('MAIL'), { rest: such(rest, isSender, 'FROM:<>') }),
  'client.RCPT': frame(word('RCPT'), { rest: such(rest, isRecipient, 'TO:<postmaster>') }),
  'client.DATA': frame(word('DATA'), bare),
  'client.CONTENT': frame({ content: f.streamed('dot-stuffed') }),
  'client.RSET': frame(word('RSET'), bare),
  'client.NOOP': frame(word('NOOP'), { rest }),
  'client.VRFY': frame(word('VRFY'), { rest: such(rest, isSomebody, 'postmaster') }),
  'client.STARTTLS': frame(word('STARTTLS'), bare),
  'client.QUIT': frame(word('QUIT'), bare),
  'client.UNKNOWN': f.otherwise(frame({ text: line({ max: MOST }) })),
  'server.READY': reply(220),
  'server.BYE': reply(221),
  'server.AUTHENTICATED': reply(235),
  'server.OK': reply(250, 259),
  'server.CHALLENGE': reply(334),
  'server.GO_AHEAD': reply(354),
  'server.CLOSING': reply(421),
  'server.LATER': reply(430, 499),
  'server.NO': reply(500, 599),
};
