/** Hands the server's inspection messages on to Stately's viewer in the frame, once that is ready, and to nobody else. */
const frame = document.querySelector('iframe');
const viewer = frame === null ? '' : new URL(frame.src).origin;
let socket: WebSocket | undefined;

window.addEventListener('message', ({ origin, data }) => {
  if (origin !== viewer || data?.type !== '@statelyai.connected') return;
  socket?.close();
  socket = new WebSocket(`ws://${location.host}/stately`);
  socket.addEventListener('message', (message) => {
    frame?.contentWindow?.postMessage(JSON.parse(message.data), viewer);
  });
});
