/** Bytes that grow, written in protobuf's wire format (https://protobuf.dev/programming-guides/encoding/). */

/** Wire types, as they stand in a field's tag. */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

const TWO_32 = 2 ** 32;
/** Texts up to this long are written by JavaScript itself: a call out of it costs more. Their length is one byte. */
const SHORT = 48;

export class ByteWriter {
  bytes: Buffer;
  length = 0;
  #numbers: DataView;

  /** `size` is what it holds before it grows, in bytes. */
  constructor(size: number) {
    this.bytes = Buffer.allocUnsafe(size);
    this.#numbers = viewOf(this.bytes);
  }

  /** Makes room for so many bytes more. */
  reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
    this.#numbers = viewOf(grown);
  }

  /** What was written; the next write may change it. */
  written(): Buffer {
    return this.bytes.subarray(0, this.length);
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** An integer from 0 to 2^53. */
  varint(value: number): void {
    this.reserve(10);
    let rest = value;
    while (rest > 0x7f) {
      this.bytes[this.length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.bytes[this.length++] = rest;
  }

  uint(field: number, value: number): void {
    this.varint(field * 8 + VARINT);
    this.varint(value);
  }

  bool(field: number, value: boolean): void {
    this.uint(field, value ? 1 : 0);
  }

  /** `int64` of an integer that is one: from -2^63 to below 2^63. Below 0 it takes ten bytes, as two's complement. */
  int64(field: number, value: number): void {
    this.varint(field * 8 + VARINT);
    if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) {
      this.varint(value);
      return;
    }
    this.reserve(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 0x7fn) {
      this.bytes[this.length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.bytes[this.length++] = Number(rest);
  }

  double(field: number, value: number): void {
    this.varint(field * 8 + FIXED64);
    this.reserve(8);
    this.#numbers.setFloat64(this.length, value, true);
    this.length += 8;
  }

  fixed32(field: number, value: number): void {
    this.varint(field * 8 + FIXED32);
    this.reserve(4);
    this.#numbers.setUint32(this.length, value, true);
    this.length += 4;
  }

  /** `fixed64` of a time: seconds and nanoseconds since 1970, as nanoseconds. */
  nanos(field: number, seconds: number, nanoseconds: number): void {
    this.varint(field * 8 + FIXED64);
    this.reserve(8);
    writeNanos(this.#numbers, this.length, seconds, nanoseconds);
    this.length += 8;
  }

  string(field: number, text: string): void {
    this.varint(field * 8 + LENGTH);
    // UTF-16 code units take three bytes at most.
    this.reserve(text.length * 3 + 5);
    if (text.length <= SHORT && this.#ascii(text)) return;
    this.varint(Buffer.byteLength(text));
    this.length += this.bytes.write(text, this.length, 'utf8');
  }

  /** A short text, its length in front, without a call out of JavaScript; false where it is not plain. */
  #ascii(text: string): boolean {
    const { bytes, length } = this;
    for (let i = 0; i < text.length; i += 1) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      bytes[length + 1 + i] = code;
    }
    bytes[length] = text.length;
    this.length = length + 1 + text.length;
    return true;
  }

  blob(field: number, bytes: Uint8Array): void {
    this.varint(field * 8 + LENGTH);
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** Bytes that are told in hex, of which there are two digits each. */
  hex(field: number, digits: string): void {
    this.varint(field * 8 + LENGTH);
    this.varint(digits.length / 2);
    this.reserve(digits.length / 2);
    this.length += this.bytes.write(digits, this.length, 'hex');
  }

  /** Writes hex digits, in lower case, over what stands at a place, as the bytes that they tell. */
  patchHex(at: number, digits: string): void {
    const { bytes } = this;
    for (let i = 0, to = at; i < digits.length; i += 2, to += 1)
      bytes[to] = (nibbleOf(digits.charCodeAt(i)) << 4) | nibbleOf(digits.charCodeAt(i + 1));
  }

  /** Writes a whole number of 32 bits over the four bytes at a place, its first byte first. */
  patchInt32(at: number, value: number): void {
    this.#numbers.setInt32(at, value);
  }

  /** Writes a time, in Unix milliseconds, as nanoseconds over the eight bytes at a place. */
  patchMs(at: number, ms: number): void {
    const seconds = Math.floor(ms / 1000);
    writeNanos(this.#numbers, at, seconds, Math.round((ms - seconds * 1000) * 1e6));
  }

  /** Begins a message within, with room for a length of so many bytes; what it gives is for `end`. */
  begin(field: number, room = 1): number {
    this.varint(field * 8 + LENGTH);
    this.reserve(room);
    const at = this.length;
    this.length += room;
    return at;
  }

  /** Ends a message: its length goes in front of it. What it contains moves where the room does not fit it. */
  end(at: number, room = 1): void {
    const size = this.length - at - room;
    const needed = sizeOfVarint(size);
    if (needed !== room) {
      this.reserve(needed - room);
      this.bytes.copyWithin(at + needed, at + room, this.length);
    }
    const end = at + needed + size;
    this.length = at;
    this.varint(size);
    this.length = end;
  }
}

/** Bytes of an integer from 0 to 2^53 as a varint. */
export function sizeOfVarint(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}

/** The second that was written last, in nanoseconds as two halves of 32 bits: the next time is mostly of the same. */
let second = 0;
let upper = 0;
let lower = 0;

/**
 * Writes a time in nanoseconds as 64 bits, little endian: more than a number holds exactly, so in two halves.
 * `nanoseconds` from 0 to 2^52.
 */
export function writeNanos(target: DataView, at: number, seconds: number, nanoseconds: number): void {
  if (seconds !== second) {
    const high = Math.floor(seconds / 65536) * 1e9;
    const low = (seconds % 65536) * 1e9 + (high % 65536) * 65536;
    second = seconds;
    upper = Math.floor(high / 65536) + Math.floor(low / TWO_32);
    lower = low % TWO_32;
  }
  const low = lower + nanoseconds;
  target.setUint32(at, low >>> 0, true);
  target.setUint32(at + 4, upper + Math.floor(low / TWO_32), true);
}

/** Of a hex digit in lower case. */
function nibbleOf(digit: number): number {
  return digit < 58 ? digit - 48 : digit - 87;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
