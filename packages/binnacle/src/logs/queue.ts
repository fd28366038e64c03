/** Lines that wait to be written: bounded by size, handed out in batches, and counted to the last one. */

/** The most that may wait, in UTF-16 code units (4 Mi; about as many bytes). */
export const QUEUE_LIMIT: number = 4 * 1024 * 1024;
/** The size of a batch, in UTF-16 code units: what a pipe of Linux takes at once. */
const BATCH_SIZE = 64 * 1024;
/** Of UTF-8, the most that a UTF-16 code unit takes. */
const BYTES = 3;

/** Lines on their way into a descriptor. */
export interface Batch {
  readonly lines: readonly string[];
  /** The lines as UTF-8. */
  readonly bytes: Buffer;
  /** Bytes that were taken so far. */
  offset: number;
  /** Whether this is the rest of one line whose beginning is written. */
  readonly torn?: boolean;
}

export class LineQueue {
  #lines: string[] = [];
  #size = 0;
  /** What short batches are written to, one after another. */
  readonly #memory: Buffer | undefined;

  /** `reuses`: each batch that was taken is written and forgotten before the next one is taken. */
  constructor(reuses = false) {
    this.#memory = reuses ? Buffer.allocUnsafeSlow(BATCH_SIZE) : undefined;
  }

  /** UTF-16 code units that wait. */
  get size(): number {
    return this.#size;
  }

  /** Lines that wait. */
  get length(): number {
    return this.#lines.length;
  }

  /** Takes a line in; false where there is no room for it. */
  push(line: string): boolean {
    if (this.#size + line.length > QUEUE_LIMIT) return false;
    this.#lines.push(line);
    this.#size += line.length;
    return true;
  }

  /** The next lines as one piece, or undefined when none wait. */
  take(): Batch | undefined {
    if (this.#lines.length === 0) return undefined;
    let count = this.#lines.length;
    let size = this.#size;
    if (size > BATCH_SIZE) {
      count = 0;
      size = 0;
      for (const line of this.#lines) {
        if (count > 0 && size + line.length > BATCH_SIZE) break;
        size += line.length;
        count += 1;
      }
    }
    const lines = count === this.#lines.length ? this.#lines : this.#lines.splice(0, count);
    if (lines === this.#lines) this.#lines = [];
    this.#size -= size;
    return { lines, bytes: this.#encode(lines.join('')), offset: 0 };
  }

  /** Encodes to memory that is there, where that is long enough whatever the text holds: most batches are short. */
  #encode(text: string): Buffer {
    const memory = this.#memory;
    if (memory === undefined || text.length * BYTES > memory.length) return Buffer.from(text, 'utf8');
    return memory.subarray(0, memory.write(text, 0, 'utf8'));
  }

  /** Empties the queue; tells how many lines were lost by it. */
  clear(): number {
    const lost = this.#lines.length;
    this.#lines = [];
    this.#size = 0;
    return lost;
  }
}

/** What is left of a batch that failed. */
export interface Remains {
  /** Lines that are written whole. */
  readonly written: number;
  /** Lines of which no byte was written. */
  readonly lost: number;
  /** The rest of a line that was written in part: it goes first once writing works, lest two lines become one. */
  readonly torn: Batch | undefined;
}

/** Finds out where a batch broke off. */
export function remainsOf(batch: Batch): Remains {
  if (batch.torn === true) return { written: 0, lost: 0, torn: batch };
  let end = 0;
  let written = 0;
  for (const line of batch.lines) {
    if (end >= batch.offset) break;
    end += Buffer.byteLength(line);
    written += 1;
  }
  const lost = batch.lines.length - written;
  if (end <= batch.offset) return { written, lost, torn: undefined };
  const bytes = batch.bytes.subarray(batch.offset, end);
  return { written: written - 1, lost, torn: { lines: [''], bytes, offset: 0, torn: true } };
}
