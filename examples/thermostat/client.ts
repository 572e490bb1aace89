import { type ClientMessage, connect, type ServerMessage } from 'wirechart';
import { thermostat } from './protocol.ts';

type Answer = ServerMessage<typeof thermostat>;

const port = Number(process.argv[2] ?? thermostat.port);
let answered = (_: Answer) => {};
const answer = (message: Answer) => {
  answered(message);
  return undefined; // the client has nothing to say to an answer
};
const session = await connect(thermostat, () => ({ OK: answer, NO: answer, DEGREES: answer }), { port });

function ask(message: ClientMessage<typeof thermostat>): Promise<Answer> {
  return new Promise((resolve) => {
    answered = resolve;
    session.send(message);
  });
}

console.log(await ask({ type: 'client.UNLOCK', pin: '1234' }));
console.log(await ask({ type: 'client.SET', degrees: 22 }));
console.log(await ask({ type: 'client.READ' }));
session.close();
