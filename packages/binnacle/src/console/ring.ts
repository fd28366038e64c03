/**
 * Records as bytes, the oldest of which make room for new ones: bounded by count and by bytes, and read by whoever asks,
 * from any record that is still held. Nothing is decoded until then, and nothing of it is the garbage collector's affair.
 */

/** Gives one record as JSON of one line; undefined, or a throw, where the bytes are none. Must not keep `bytes`. */
export type ReadRecord = (bytes: Buffer) => string | undefined;

export interface RingBounds {
  readonly count: number;
  /** Of memory that records are kept in; some 16 bytes a record stand beside it. */
  readonly bytes: number;
}

/** The most bytes of one record: a larger one is left out, and counted as let go. */
export const RECORD_BYTES: number = 256 * 1024;
/** Memory is taken, and given back, by pieces of this size, or a quarter of the bound where that is less. */
const SEGMENT_BYTES = 512 * 1024;
/** Bytes that a UTF-16 code unit takes at most. */
const UTF8_MOST = 3;

class Segment {
  readonly buffer: Buffer;
  /** The number of its first record. */
  readonly first: number;
  /** Where each record ends. */
  readonly ends: number[] = [];
  readonly readers: ReadRecord[] = [];
  used = 0;

  constructor(buffer: Buffer, first: number) {
    this.buffer = buffer;
    this.first = first;
  }

  get next(): number {
    return this.first + this.ends.length;
  }

  added(end: number, read: ReadRecord): void {
    this.ends.push(end);
    this.readers.push(read);
    this.used = end;
  }

  startOf(index: number): number {
    return index === 0 ? 0 : (this.ends[index - 1] as number);
  }
}

export class Ring {
  readonly bounds: RingBounds;
  /** Records that made room for others, and those that were too large. */
  evicted = 0;
  /** Bytes of the records that are held. */
  bytes = 0;
  /** The number of the oldest record that is held; `next` where there is none. */
  first = 0;
  /** The number that the next record will have: they count up by one. */
  next = 0;
  readonly #segmentBytes: number;
  readonly #recordBytes: number;
  readonly #mostSegments: number;
  /** The oldest first. */
  readonly #segments: Segment[] = [];
  /** Of a segment that was let go, to be filled again. */
  #spare: Buffer | undefined;

  constructor(bounds: RingBounds) {
    this.bounds = bounds;
    this.#segmentBytes = Math.min(SEGMENT_BYTES, Math.floor(bounds.bytes / 4));
    this.#recordBytes = Math.min(RECORD_BYTES, this.#segmentBytes);
    this.#mostSegments = Math.floor(bounds.bytes / this.#segmentBytes);
  }

  /** Records that are held. */
  get count(): number {
    return this.next - this.first;
  }

  /** Keeps a copy of `bytes`. */
  addBytes(bytes: Uint8Array, read: ReadRecord): void {
    const segment = this.#roomFor(bytes.length);
    if (segment === undefined) return;
    segment.buffer.set(bytes, segment.used);
    this.#added(segment, bytes.length, read);
  }

  /** Keeps a text as UTF-8; a lone surrogate becomes U+FFFD. */
  addText(text: string, read: ReadRecord): void {
    const last = this.#segments.at(-1);
    const room = last === undefined ? 0 : last.buffer.length - last.used;
    const most = text.length * UTF8_MOST;
    // Counted only where it might not fit: that costs as much as writing it.
    const segment = this.#roomFor(most <= Math.min(room, this.#recordBytes) ? most : Buffer.byteLength(text));
    if (segment === undefined) return;
    this.#added(segment, segment.buffer.write(text, segment.used, 'utf8'), read);
  }

  /** Lets a record that is too large for any store go. */
  leaveOut(): void {
    this.evicted += 1;
  }

  /**
   * Shows the records that are held from number `from` on, as JSON, until `visit` says false: that one counts as not
   * seen. Gives the number of the first that was not seen. What cannot be read is passed over.
   */
  read(from: number, visit: (json: string, number: number) => boolean): number {
    let number = Math.max(from, this.first);
    for (const segment of this.#segments) {
      while (number < segment.next) {
        const json = readOne(segment, number - segment.first);
        if (json !== undefined && !visit(json, number)) return number;
        number += 1;
      }
    }
    return Math.max(number, from);
  }

  /** Where a record of at most so many bytes is written to; undefined, and counted, where there is no room for it. */
  #roomFor(bytes: number): Segment | undefined {
    if (bytes > this.#recordBytes) {
      this.evicted += 1;
      return undefined;
    }
    const last = this.#segments.at(-1);
    if (last !== undefined && last.used + bytes <= last.buffer.length) return last;
    if (this.#segments.length >= this.#mostSegments) this.#letGoUpTo((this.#segments[0] as Segment).next);
    const buffer = this.#spare ?? allocate(this.#segmentBytes);
    this.#spare = undefined;
    if (buffer === undefined) {
      this.evicted += 1;
      return undefined;
    }
    const made = new Segment(buffer, this.next);
    this.#segments.push(made);
    return made;
  }

  #added(segment: Segment, bytes: number, read: ReadRecord): void {
    segment.added(segment.used + bytes, read);
    this.bytes += bytes;
    this.next += 1;
    if (this.count > this.bounds.count) this.#letGoUpTo(this.next - this.bounds.count);
  }

  #letGoUpTo(first: number): void {
    while (this.first < first) {
      const oldest = this.#segments[0] as Segment;
      const index = this.first - oldest.first;
      this.bytes -= (oldest.ends[index] as number) - oldest.startOf(index);
      this.first += 1;
      this.evicted += 1;
      if (this.first < oldest.next) continue;
      this.#segments.shift();
      this.#spare = oldest.buffer;
    }
  }
}

/** Whoever tells of something is not to fail since there is no memory to keep it in. */
function allocate(bytes: number): Buffer | undefined {
  try {
    return Buffer.allocUnsafeSlow(bytes);
  } catch {
    return undefined;
  }
}

function readOne(segment: Segment, index: number): string | undefined {
  try {
    const bytes = segment.buffer.subarray(segment.startOf(index), segment.ends[index]);
    return (segment.readers[index] as ReadRecord)(bytes);
  } catch {
    return undefined;
  }
}
