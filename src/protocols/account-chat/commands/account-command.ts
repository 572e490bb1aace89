import type { ClientMessage } from '../../../index.ts';
import { accountChat } from '../protocol.ts';

type Request = ClientMessage<typeof accountChat>;

interface Command {
  /** What stands behind the command: the last of it is the rest of the line, as it was typed. */
  readonly words: readonly string[];
  readonly request: (first: string, rest: string) => Request;
}

const COMMANDS: ReadonlyMap<string, Command> = new Map(
  Object.entries<Command>({
    register: {
      words: ['USER', 'PASSWORD'],
      request: (username, password) => ({ type: 'client.REG', username, password }),
    },
    login: {
      words: ['USER', 'PASSWORD'],
      request: (username, password) => ({ type: 'client.LOG', username, password }),
    },
    deleteacc: { words: [], request: () => ({ type: 'client.DEL' }) },
    accdump: { words: [], request: () => ({ type: 'client.ACD' }) },
    accfilter: { words: ['PATTERN'], request: (wildcard) => ({ type: 'client.ACF', wildcard }) },
    message: {
      words: ['USER', 'TEXT...'],
      request: (toUsername, content) => ({ type: 'client.MSG', toUsername, content }),
    },
  }),
);

/** What may be typed, a command each. */
export const USAGES: readonly string[] = [...COMMANDS].map(([name, { words }]) => [name, ...words].join(' '));

/** Reads a line that was typed. @returns the request, or in words why there is none to be sent. */
export function accountCommand(line: string): Request | string {
  const [, name = '', rest = ''] = /^\s*(\S+)\s*(.*)$/s.exec(line) ?? [];
  const command = COMMANDS.get(name);
  if (command === undefined) return `no such command; there are ${USAGES.join(', ')}`;
  const words = FORMS[command.words.length]?.exec(rest);
  if (!words) return `expected ${[name, ...command.words].join(' ')}`;
  const request = command.request(words[1] ?? '', words[2] ?? '');
  return misfit(request) ?? request;
}

/** What stands behind a command of no, one, two words. */
const FORMS = [/^$/, /^(\S+)\s*$/, /^(\S+)\s(.+)$/s];

const CALLED: Readonly<Record<string, string>> = {
  username: 'the username',
  password: 'the password',
  wildcard: 'the pattern',
  toUsername: 'the username',
  content: 'the text',
};

/** Without NUL, which ends a string on the wire. */
const ASCII = /^[\x01-\x7f]*$/;

/** Why a field of the frame cannot carry what was typed. Quotes nothing of it: it may be a password. */
function misfit(request: Request): string | undefined {
  for (const { key, field } of accountChat.frames[request.type].fields) {
    const value: unknown = Reflect.get(request, key);
    if (typeof value !== 'string' || !ASCII.test(value)) return `${CALLED[key]} is not ASCII`;
    if (value.length > field.maximum) {
      return `${CALLED[key]} has ${value.length} characters, at most ${field.maximum} fit`;
    }
  }
  return undefined;
}
