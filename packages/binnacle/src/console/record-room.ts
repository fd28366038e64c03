/** What one record that was sent to us may take: beyond it its texts are cut, and further parts of it are left out. */

/** In bytes of texts and parts. */
const RECORD = 128 * 1024;
/** The most of one text, in bytes. */
const TEXT = 32 * 1024;
/** What a part of a record (an attribute, an event, a value of a list) takes besides its texts. */
const PART = 32;

export class RecordRoom {
  /** Whether something was cut, or left out, since the record began. */
  cut = false;
  #left = RECORD;

  /** A record begins. */
  begin(): void {
    this.#left = RECORD;
    this.cut = false;
  }

  /** Takes the room of one part; false where none is left. */
  part(): boolean {
    this.#left -= PART;
    if (this.#left >= 0) return true;
    this.cut = true;
    return false;
  }

  /** Takes the room of a text of so many bytes; gives how many of them it has. */
  text(length: number): number {
    const most = Math.max(0, Math.min(TEXT, this.#left));
    const taken = Math.min(length, most);
    this.#left -= taken;
    if (taken < length) this.cut = true;
    return taken;
  }
}
