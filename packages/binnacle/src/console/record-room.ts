/**
 * What one record that was sent to us may take: beyond it its texts are cut, and further parts of it are left out. And how
 * many records and parts one request may have: an empty one takes two bytes on the wire, and a hundred times that in memory.
 */
import { OtlpError } from './otlp-error.ts';

/** In bytes of texts and parts. */
export const RECORD_BYTES: number = 128 * 1024;
/** The most of one text, in bytes. */
export const TEXT_BYTES: number = 32 * 1024;
/** What a part of a record (an attribute, an event, a value of a list) takes besides its texts. */
const PART = 32;

/** Records and parts of one request, which is refused beyond them. */
const MOST_PARTS = 500_000;

export class RecordRoom {
  /** Whether something was cut, or left out, since the record began. */
  cut = false;
  #left = RECORD_BYTES;
  #parts = 0;

  /** A record begins. Throws OtlpError where the request has too many. */
  begin(): void {
    this.#count();
    this.#left = RECORD_BYTES;
    this.cut = false;
  }

  /** Takes the room of one part; false where none is left. */
  part(): boolean {
    this.#count();
    this.#left -= PART;
    if (this.#left >= 0) return true;
    this.cut = true;
    return false;
  }

  /** Takes the room of a text of so many bytes; gives how many of them it has. */
  text(length: number): number {
    const most = Math.max(0, Math.min(TEXT_BYTES, this.#left));
    const taken = Math.min(length, most);
    this.#left -= taken;
    if (taken < length) this.cut = true;
    return taken;
  }

  #count(): void {
    this.#parts += 1;
    if (this.#parts > MOST_PARTS) throw new OtlpError('more parts than one request may have');
  }
}
