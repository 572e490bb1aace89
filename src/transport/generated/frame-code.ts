import type { PartShape } from '../fields/shape.ts';
import { generateRead, type ReadWhole } from './read.ts';
import { generateWrite, type WriteWhole } from './write.ts';

/** Code is made for a frame when it was read, or written, so often. */
const WORTH_IT = 8;

/** {@link ReadWhole} and {@link WriteWhole} of one frame; the code is made when it is worth it. */
export function codeOf(shape: PartShape | undefined): WriteWhole & { readonly read: ReadWhole } {
  let reads = 0;
  let read: ReadWhole | undefined;
  let writes = 0;
  let made: WriteWhole | undefined;
  return {
    read(cursor, type) {
      if (read === undefined && ++reads === WORTH_IT) read = generateRead(shape);
      return read?.(cursor, type);
    },
    size(message, sizes) {
      if (made === undefined && ++writes === WORTH_IT) made = generateWrite(shape);
      return made?.size(message, sizes) ?? -1;
    },
    write: (message, into, at, sizes) => made?.write(message, into, at, sizes) ?? at,
  };
}
