import { setTimeout } from 'node:timers/promises';
import { buildSchema } from 'graphql';
import { defineModule } from 'wirechart/cli';
import { operations } from './operations.ts';
import { graphqlTransport } from './protocol.ts';

/** A schema to try it with. */
export function demoSchema(pause = 100) {
  const schema = buildSchema('type Query { hello: String } type Subscription { countdown(from: Int!): Int }');
  const countdown = schema.getSubscriptionType()?.getFields()['countdown'];
  const hello = schema.getQueryType()?.getFields()['hello'];
  if (countdown === undefined || hello === undefined) throw new TypeError('the schema lacks its fields');
  hello.resolve = () => 'world';
  countdown.subscribe = async function* (_: unknown, { from }: { readonly from: number }) {
    for (let left = from; left >= 0; left--) {
      yield { countdown: left };
      await setTimeout(pause);
    }
  };
  return schema;
}

export default defineModule({
  protocol: graphqlTransport,
  serve: {
    help: 'GraphQL over WebSocket, with a schema to try it with',
    webSocket: {},
    open: () => ({ handlers: operations(demoSchema()) }),
  },
});
