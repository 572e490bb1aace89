import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../dist/cli/wirechart.js', import.meta.url));
const commands = [
  ['serve'],
  ['serve', 'message-log'],
  ['serve', 'basic-chat'],
  ['serve', 'account-chat'],
  ['guard'],
  ['verify'],
  ['learn'],
  ['diff'],
  ['diagram'],
  ['send'],
  ['log'],
  ['chat', 'basic'],
  ['chat', 'account'],
];

/** wirechart(1), made of what each command says of itself: one text, that cannot be older than the command. */
export function manPage(): string {
  const sections = commands.map((words) => {
    const [usage = '', ...more] = help(words).split('\n\n');
    return [
      `.SS "${usage.replace(/^Usage: wirechart /, '').split(' [')[0]}"`,
      '.nf',
      ...[usage, ...more].join('\n\n').trimEnd().split('\n').map(plain),
      '.fi',
    ].join('\n');
  });
  return `.\\" Made by npm run docs:protocols.
.TH WIRECHART 1 "" "wirechart" "User Commands"
.SH NAME
wirechart \\- wire protocols as statecharts: serve them, speak them, prove them
.SH SYNOPSIS
.B wirechart
.I command
[\\fIoptions\\fR] [\\fIoperands\\fR]
.SH DESCRIPTION
A protocol is a module of one's own (\\fI./file\\fR), a package, or one of message-log, basic-chat and account-chat.
.SH COMMANDS
${sections.join('\n')}
.SH EXIT STATUS
0 done; 1 failed, or does not conform; 2 not understood, or no verdict; 130 stopped by Ctrl-C.
`;
}

function help(words: readonly string[]): string {
  const env = { ...process.env, NO_COLOR: '1', COLUMNS: '78' };
  return execFileSync(process.execPath, [cli, ...words, '--help'], { encoding: 'utf8', env });
}

/** No word of a text is a request to the formatter. */
function plain(line: string): string {
  return line
    .replaceAll('\\', '\\e')
    .replace(/^(?=[.'])/, '\\&')
    .replaceAll('-', '\\-');
}
