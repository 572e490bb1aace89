/** Our record of the same message: escaped where it must be, so every byte is looked at. */
import { RecordBatch } from '../../src/protocols/message-log/log/record-batch.ts';
import { textFormat } from '../../src/protocols/message-log/log/text-record.ts';
import { measure } from './measure.ts';

const batch = new RecordBatch();
const prefix = textFormat.prefix({ name: Buffer.from('bench'), connection: 1, address: '127.0.0.1' });
const message = Buffer.from('x'.repeat(32));

measure(100, () => {
  batch.clear();
  for (let i = 0; i < 100; i++) textFormat.add(batch, prefix, message, 0, 32);
  return batch.length;
});
