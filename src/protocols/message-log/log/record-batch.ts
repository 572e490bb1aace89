const INITIAL_BYTES = 64 * 1024;

/**
 * Whole records, one after the other in one buffer that is filled, written and used again. It grows to the
 * largest batch it has held and allocates nothing for a record.
 */
export class RecordBatch {
  /** The records are `bytes[0..length)`. Replaced by {@link RecordBatch.reserve} when it grows. */
  bytes: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  /** The same memory as `bytes`, for writing several at a time wherever they lie. */
  view: DataView = viewOf(this.bytes);
  /** And for looking at four of them at once, from the first on. */
  words: Int32Array = wordsOf(this.bytes);
  length = 0;
  /** How many records there are. */
  count = 0;
  // Never shortened: entries from `count` on are left over from earlier batches.
  readonly #ends: number[] = [];

  /** Makes room for `size` bytes behind the last record. */
  reserve(size: number): void {
    const needed = this.length + size;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(needed)));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
    this.view = viewOf(grown);
    this.words = wordsOf(grown);
  }

  /** Declares that the bytes up to `end` are one more record. */
  endRecord(end: number): void {
    this.#ends[this.count++] = end;
    this.length = end;
  }

  /** Where record number `index` ends, or 0 for -1. */
  endOf(index: number): number {
    return this.#ends[index] ?? 0;
  }

  /** How many records lie wholly within the first `length` bytes. */
  wholeWithin(length: number): number {
    if (length === this.length) return this.count;
    let records = 0;
    while (records < this.count && this.endOf(records) <= length) records++;
    return records;
  }

  clear(): void {
    this.length = 0;
    this.count = 0;
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** Of memory of its own, which begins and ends where words do. */
function wordsOf({ buffer, byteLength }: Uint8Array): Int32Array {
  return new Int32Array(buffer, 0, byteLength >> 2);
}
