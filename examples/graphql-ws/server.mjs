// The server of the package graphql-ws, in a process of its own: says where it listens on its first line.
import { setTimeout } from 'node:timers/promises';
import { buildSchema } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';

const schema = buildSchema('type Query { hello: String } type Subscription { countdown(from: Int!): Int }');
schema.getQueryType().getFields().hello.resolve = () => 'world';
schema.getSubscriptionType().getFields().countdown.subscribe = async function* (_, { from }) {
  for (let left = from; left >= 0; left--) {
    yield { countdown: left };
    await setTimeout(5);
  }
};
// What it makes of a fault it says on the console.
console.error = () => {};
const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => {
  console.log(`ws://127.0.0.1:${sockets.address().port}/graphql`);
});
useServer({ schema }, sockets);
