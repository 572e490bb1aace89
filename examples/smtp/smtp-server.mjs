// node smtp-server.mjs PORT
import { SMTPServer } from 'smtp-server';

const server = new SMTPServer({
  authOptional: true,
  allowInsecureAuth: true,
  authMethods: ['PLAIN', 'LOGIN'],
  disabledCommands: ['STARTTLS'],
  disableReverseLookup: true,
  onAuth({ username, password }, _, callback) {
    if (username === 'ann' && password === 'sesame') callback(null, { user: username });
    else callback(new Error('wrong name or password'));
  },
  onData(stream, _, callback) {
    stream.resume();
    stream.on('end', () => callback(null));
  },
});
server.on('error', () => {});
server.listen(Number(process.argv[2]), '127.0.0.1');
