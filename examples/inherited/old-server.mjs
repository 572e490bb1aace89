import { createServer } from 'node:net';

createServer((socket) => {
  let state = 0;
  let input = '';
  const say = (line) => socket.write(`${line}\r\n`);
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    input += bytes.toString('latin1');
    if (input.length > 998 && !input.slice(0, 998).includes('\n')) return socket.end('-NO too long\r\n');
    for (let end = input.indexOf('\n'); end >= 0; end = input.indexOf('\n')) {
      const [word = '', rest = ''] = input.slice(0, end).trimEnd().split(/ (.*)/s);
      input = input.slice(end + 1);
      const command = word.toUpperCase();
      if (command === 'HELLO' && state === 0) {
        state = 1;
        say('+OK hello');
      } else if (command === 'PIN' && state === 1) {
        if (rest === '4711') state = 2;
        say(rest === '4711' ? '+OK welcome' : '-NO wrong PIN');
      } else if (command === 'OPEN' && state > 0) {
        say('+OK open');
      } else if (command === 'QUIT') {
        socket.end('+BYE\r\n');
      } else {
        say(`-NO not now: ${command}`);
      }
    }
  });
}).listen(Number(process.argv[2] ?? 7000), '127.0.0.1', function () {
  console.log(`listening on 127.0.0.1:${this.address().port}`);
});
