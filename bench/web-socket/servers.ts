/** `node servers.js bare|ours`: answers each request over a WebSocket, and says its port on its first line. */

import { WebSocketServer } from 'ws';
import { setup } from 'xstate';
import { defineProtocol, listen } from '../../src/index.ts';
import { json, some } from '../../src/transport/messages/index.ts';
import { tellCost } from '../in-turns.ts';

const machine = setup({
  types: { events: {} as { type: `transport.${'accept' | 'end'}` | 'client.ASK' | 'server.ANSWER' } },
}).createMachine({
  id: 'echo',
  initial: 'connecting',
  on: { 'transport.end': '.over' },
  states: {
    connecting: { on: { 'transport.accept': 'idle' } },
    idle: { on: { 'client.ASK': 'asked' } },
    asked: { tags: 'server', on: { 'server.ANSWER': 'idle' } },
    over: { type: 'final' },
  },
});

const echo = defineProtocol({
  name: 'echo',
  port: 0,
  machine,
  frames: { 'client.ASK': json({ type: 'ask', id: some }), 'server.ANSWER': json({ type: 'answer' }) },
  violation: { closes: true },
  malformed: { closes: true },
  unreadable: {},
  samples: () => ({ messages: {}, malformed: {} }),
});

tellCost();

if (process.argv[2] === 'bare') {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false }, () => {
    const address = server.address();
    console.log(typeof address === 'object' ? address?.port : '');
  });
  server.on('connection', (socket) => {
    socket.on('message', (data) => {
      const { type, id, text } = JSON.parse(String(data));
      if (type !== 'ask') socket.close(4400);
      else socket.send(JSON.stringify({ type: 'answer', id, text }));
    });
  });
} else {
  const { port } = await listen(
    echo,
    () => ({ ASK: ({ id, text }) => ({ type: 'server.ANSWER', id, text }) }),
    { host: '127.0.0.1', port: 0, webSocket: {} },
  );
  console.log(port);
}
