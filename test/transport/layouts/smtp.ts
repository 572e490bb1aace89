import { dotStuffed, frame, line, otherwise, replyLines, word } from '../../../src/transport/fields/index.ts';

const verb = (name: string) => frame(word(name), { rest: line({ separator: ' ', max: 510 }) });

/** SMTP: commands are lines; a mail, which is readable after the server has asked for it, is lines up to a dot. */
export const smtp = {
  client: {
    HELO: verb('HELO'),
    EHLO: verb('EHLO'),
    MAIL: verb('MAIL'),
    RCPT: verb('RCPT'),
    DATA: verb('DATA'),
    RSET: verb('RSET'),
    NOOP: verb('NOOP'),
    QUIT: verb('QUIT'),
    VRFY: verb('VRFY'),
    STARTTLS: verb('STARTTLS'),
    UNKNOWN: otherwise(frame({ text: line({ max: 510 }) })),
  },
  mail: { CONTENT: frame({ content: dotStuffed({ max: 100_000 }) }) },
  server: {
    YES: frame({ reply: replyLines({ min: 200, max: 299 }) }),
    GO_ON: frame({ reply: replyLines({ min: 300, max: 399 }) }),
    LATER: frame({ reply: replyLines({ min: 400, max: 499 }) }),
    NO: frame({ reply: replyLines({ min: 500, max: 599 }) }),
  },
};
