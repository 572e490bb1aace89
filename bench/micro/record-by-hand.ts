/** Floor of `log encode`: a record of 32 bytes copied into the batch by hand, nothing looked at. */
import { Turn } from '../floors/log-file.ts';
import { measure } from './measure.ts';

const turn = new Turn();
const prefix = Buffer.from('[bench]: ');
const message = Buffer.from('x'.repeat(32));

measure(100, () => {
  turn.length = 0;
  for (let i = 0; i < 100; i++) turn.add(prefix, message, 0, message.length);
  return turn.length;
});
