import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { smtp } from '../../examples/smtp/protocol.ts';
import { guard } from '../../src/guard/guard.ts';
import { tcpServer } from '../support/tcp-server.ts';
import { textClient } from '../support/text-client.ts';

/** An old mail server: it takes CR LF, a bare LF and a bare CR as the end of a line. Keeps the commands that it took. */
async function lenientServer() {
  const took: string[] = [];
  const { port } = await tcpServer((socket) => {
    let isMail = false;
    let held = '';
    socket.write('220 old ESMTP\r\n');
    socket.on('data', (bytes) => {
      held += bytes.toString('latin1');
      const lines = held.split(/\r\n|\n|\r/);
      held = lines.pop() ?? '';
      for (const line of lines) {
        if (isMail) {
          if (line === '.') socket.write('250 kept\r\n');
          isMail = line !== '.';
          continue;
        }
        took.push(line);
        isMail = line === 'DATA';
        socket.write(isMail ? '354 go on\r\n' : '250 OK\r\n');
      }
    });
  });
  return { port, took };
}

/** Sends these pieces through a guard, ends, and answers what came back and what the server took for commands. */
async function smuggled(...pieces: readonly string[]) {
  const { port, took } = await lenientServer();
  const running = await guard(smtp, { host: '127.0.0.1', port: 0, upstream: { port }, lingerTimeout: 100 });
  onTestFinished(() => running.close());
  const { client, heard } = textClient(running.port);
  const replies = () => heard().split('\r\n').length - 1;
  for (const [index, piece] of pieces.entries()) {
    await expect.poll(replies, { interval: 5 }).toBeGreaterThan(index);
    client.write(piece, 'latin1');
  }
  client.end();
  if (!client.closed) await once(client, 'close');
  return { took, heard: heard() };
}

const EVIL = 'MAIL FROM:<mallory@example.org>';

test.each(['\n', '\r', '\r\r', '\n\n'])('no line holds a command behind %j', async (end) => {
  for (const line of ['NOOP x', 'VRFY ann', 'XYZZY', 'EHLO me', 'RSET', 'QUIT']) {
    const { took, heard } = await smuggled(`${line}${end}${EVIL}\r\n`);
    expect(took, line).toEqual([]);
    expect(heard, line).toContain('\r\n501 ');
  }
  const { took } = await smuggled('EHLO me\r\n', `AUTH PLAIN${end}${EVIL}\r\n`);
  expect(took).toEqual(['EHLO me']);
});

// CVE-2023-51764 (Postfix), 51765 (sendmail), 51766 (Exim).
test.each(['\n.\n', '\n.\r\n', '\r\n.\n', '\r.\r', '\r\n.\r', '\r.\r\n', '\r.\n'])(
  'no mail holds another behind %j',
  async (end) => {
    const envelope = [`MAIL FROM:<ann@example.org>\r\n`, 'RCPT TO:<bob@example.org>\r\n', 'DATA\r\n'];
    const whole = `Subject: x\r\n\r\nhello${end}${EVIL}\r\nRCPT TO:<eve@example.org>\r\nDATA\r\nx\r\n.\r\n`;
    const { took, heard } = await smuggled('EHLO me\r\n', ...envelope, whole);
    expect(took).toEqual(['EHLO me', ...envelope.map((line) => line.trimEnd())]);
    expect(heard).not.toContain('kept');
  },
);
