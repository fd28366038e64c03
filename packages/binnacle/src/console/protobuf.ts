/**
 * Reads protobuf's wire format (https://protobuf.dev/programming-guides/encoding/) where it stands, field by field: no object
 * of a message, no copy but its texts. Whatever the bytes are, a read ends, stays within them, and throws OtlpError alone.
 */
import { OtlpError } from './otlp-error.ts';
import { RecordRoom } from './record-room.ts';

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const START_GROUP = 3;
const END_GROUP = 4;
const FIXED32 = 5;

const TWO_32 = 2 ** 32;
/** A varint of 64 bits has this many bytes at most. */
const VARINT_BYTES = 10;
/** Groups, which nothing of OTLP is, are skipped this deep. */
const GROUPS = 32;

export class ProtobufReader {
  /** Of the record at hand. */
  readonly room: RecordRoom = new RecordRoom();
  readonly #bytes: Buffer;
  readonly #numbers: DataView;
  #at = 0;
  #end: number;
  #wireType = 0;
  /** The halves of the varint that was read last. */
  #low = 0;
  #high = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#numbers = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.length;
  }

  /** The number of the message's next field, 0 at its end. Each field is to be read or skipped before the next. */
  next(): number {
    if (this.#at === this.#end) return 0;
    this.#varint();
    const field = this.#low >>> 3;
    if (this.#high !== 0 || field === 0) throw new OtlpError('a field without a number');
    this.#wireType = this.#low & 7;
    return field;
  }

  /** Goes into the field's message; gives what `leave` takes. */
  enter(): number {
    const length = this.#length();
    const outer = this.#end;
    this.#end = this.#at + length;
    return outer;
  }

  /** Leaves a message, wherever it stands in it. */
  leave(outer: number): void {
    this.#at = this.#end;
    this.#end = outer;
  }

  /** Where the field's message begins, so that it can be gone through again. */
  get place(): number {
    return this.#at;
  }

  set place(at: number) {
    this.#at = at;
  }

  /** UTF-8; what is none is U+FFFD. Cut where the room of the record, or of one text, ends. */
  string(): string {
    const length = this.#length();
    const start = this.#at;
    this.#at += length;
    const taken = this.room.text(length);
    if (taken === length) return this.#bytes.toString('utf8', start, start + length);
    return `${this.#bytes.toString('utf8', start, this.#boundary(start, start + taken))}…`;
  }

  /** Before the character that a cut would go through; of bytes that are no UTF-8 at most three are left out. */
  #boundary(start: number, cut: number): number {
    let at = cut;
    while (at > start && at > cut - 4 && ((this.#bytes[at] as number) & 0xc0) === 0x80) at -= 1;
    return at;
  }

  /** Bytes in lower-case hex; those of another length than asked for are ''. */
  hex(bytes: number): string {
    const length = this.#length();
    const start = this.#at;
    this.#at += length;
    return length === bytes ? this.#bytes.toString('hex', start, start + length) : '';
  }

  /** Bytes in base64, as OTLP's JSON has them. Cut as texts are. */
  base64(): string {
    const length = this.#length();
    const start = this.#at;
    this.#at += length;
    const taken = this.room.text(length);
    if (taken === length) return this.#bytes.toString('base64', start, start + length);
    return `${this.#bytes.toString('base64', start, start + taken - (taken % 3))}…`;
  }

  /** An unsigned integer or an enum's number: of 64 bits, beyond 2^53 to the nearest that a number can be. */
  uint(): number {
    this.#expect(VARINT);
    this.#varint();
    return this.#high * TWO_32 + this.#low;
  }

  bool(): boolean {
    return this.uint() !== 0;
  }

  /** `int64`; beyond the safe integers in decimal digits, so that an id stays what it is. */
  int64(): number | string {
    this.#expect(VARINT);
    this.#varint();
    return this.#signed();
  }

  /** `sint32`, which is written in zigzag; more than 32 bits are cut off. */
  sint32(): number {
    this.#expect(VARINT);
    this.#varint();
    return (this.#low >>> 1) ^ -(this.#low & 1);
  }

  fixed32(): number {
    this.#expect(FIXED32);
    const at = this.#take(4);
    return this.#numbers.getUint32(at, true);
  }

  double(): number {
    this.#expect(FIXED64);
    return this.#numbers.getFloat64(this.#take(8), true);
  }

  /** `fixed64`, beyond 2^53 to the nearest that a number can be. */
  fixed64(): number {
    this.#expect(FIXED64);
    return this.#fixed64(this.#take(8));
  }

  /** `sfixed64`. */
  sfixed64(): number {
    this.#expect(FIXED64);
    const at = this.#take(8);
    return this.#numbers.getInt32(at + 4, true) * TWO_32 + this.#numbers.getUint32(at, true);
  }

  /** Nanoseconds as `fixed64`, to be told from others exactly: seconds would lose the smallest. */
  nanos(to: Nanos): void {
    this.#expect(FIXED64);
    const at = this.#take(8);
    to.low = this.#numbers.getUint32(at, true);
    to.high = this.#numbers.getUint32(at + 4, true);
  }

  /** Adds the numbers of a repeated `double`, packed or not, until there are `most`. */
  doubles(into: number[], most: number): void {
    this.#repeated(into, most, FIXED64, () => this.#numbers.getFloat64(this.#take(8), true));
  }

  /** Adds those of a repeated `fixed64`. */
  fixed64s(into: number[], most: number): void {
    this.#repeated(into, most, FIXED64, () => this.#fixed64(this.#take(8)));
  }

  /** Adds those of a repeated `uint64`. */
  uints(into: number[], most: number): void {
    this.#repeated(into, most, VARINT, () => {
      this.#varint();
      return this.#high * TWO_32 + this.#low;
    });
  }

  /** Skips the field, of whatever type. */
  skip(): void {
    if (this.#wireType !== START_GROUP) {
      this.#skipOne();
      return;
    }
    for (let depth = 1; depth > 0; ) {
      if (this.next() === 0) throw new OtlpError('a group without an end');
      if (this.#wireType === START_GROUP) depth += 1;
      else if (this.#wireType === END_GROUP) depth -= 1;
      else this.#skipOne();
      if (depth > GROUPS) throw new OtlpError('groups nested too deep');
    }
  }

  #skipOne(): void {
    switch (this.#wireType) {
      case VARINT:
        this.#varint();
        break;
      case FIXED64:
        this.#take(8);
        break;
      case LENGTH:
        this.#take(this.#length());
        break;
      case FIXED32:
        this.#take(4);
        break;
      default:
        throw new OtlpError(`wire type ${this.#wireType}`);
    }
  }

  #repeated(into: number[], most: number, wireType: number, read: () => number): void {
    const add = (value: number): void => {
      if (into.length < most) into.push(value);
      else this.room.cut = true;
    };
    if (this.#wireType === wireType) {
      add(read());
      return;
    }
    const outer = this.enter();
    while (this.#at < this.#end) add(read());
    this.leave(outer);
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType) throw new OtlpError(`a field of wire type ${this.#wireType}, not ${wireType}`);
  }

  /** The length of a field of that kind, all of which is there. */
  #length(): number {
    this.#expect(LENGTH);
    this.#varint();
    if (this.#high !== 0 || this.#low > this.#end - this.#at) throw new OtlpError('a field ends after its message');
    return this.#low;
  }

  /** Goes on by so many bytes; gives where they begin. */
  #take(bytes: number): number {
    const at = this.#at;
    if (bytes > this.#end - at) throw new OtlpError('a field ends after its message');
    this.#at = at + bytes;
    return at;
  }

  #fixed64(at: number): number {
    return this.#numbers.getUint32(at + 4, true) * TWO_32 + this.#numbers.getUint32(at, true);
  }

  #signed(): number | string {
    const high = this.#high | 0;
    const value = high * TWO_32 + this.#low;
    if (Number.isSafeInteger(value)) return value;
    return ((BigInt(high) << 32n) | BigInt(this.#low)).toString();
  }

  #varint(): void {
    const bytes = this.#bytes;
    let low = 0;
    let high = 0;
    for (let i = 0; i < VARINT_BYTES; i += 1) {
      if (this.#at >= this.#end) throw new OtlpError('a number ends after its message');
      const byte = bytes[this.#at++] as number;
      const bits = byte & 0x7f;
      if (i < 4) low |= bits << (7 * i);
      else if (i === 4) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (7 * i - 32);
      if (byte === bits) {
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return;
      }
    }
    throw new OtlpError('a number of more than ten bytes');
  }
}

/** Nanoseconds since 1970, as two halves. */
export interface Nanos {
  low: number;
  high: number;
}

/** In Unix milliseconds, to about a quarter of a microsecond. */
export function toMs({ low, high }: Nanos): number {
  return (high * TWO_32 + low) / 1e6;
}

/** From one time to another in milliseconds, to the nanosecond; 0 where the other is earlier. */
export function msBetween(from: Nanos, to: Nanos): number {
  const nanos = (to.high - from.high) * TWO_32 + (to.low - from.low);
  return nanos > 0 ? nanos / 1e6 : 0;
}
