import type { HostMetrics } from '../../../cli/index.ts';
import type { LogTiming } from './append-file.ts';

const SYNC_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];
const WRITE_SECONDS = [0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.005, 0.025, 0.1, 1];
const RECORDS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192];

/** Numbers of the log among those of the server. @returns what is given to `openFileLog` as `observe`. */
export function logMetrics(metrics: HostMetrics): (timing: LogTiming) => void {
  const seconds = {
    write: metrics.histogram({
      name: 'wirechart_log_write_seconds',
      help: 'Time to hand a batch of records to the system.',
      buckets: WRITE_SECONDS,
    }),
    sync: metrics.histogram({
      name: 'wirechart_log_sync_seconds',
      help: 'Time of an fdatasync of the log.',
      buckets: SYNC_SECONDS,
    }),
  };
  const batch = metrics.histogram({
    name: 'wirechart_log_sync_records',
    help: 'Records that one fdatasync brought to the disk.',
    buckets: RECORDS,
  });
  const written = metrics.counter({ name: 'wirechart_log_bytes_total', help: 'Bytes written to the log.' });
  const failures = metrics.counter({
    name: 'wirechart_log_failures_total',
    help: 'Batches of records that could not be written or synchronised.',
    label: 'operation',
  });
  return ({ operation, milliseconds, records, bytes }) => {
    seconds[operation](milliseconds / 1000);
    if (operation === 'write') written(bytes);
    if (operation === 'sync' && records > 0) batch(records);
    if (records === 0) failures(1, operation);
  };
}
