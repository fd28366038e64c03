/** Server-Sent Events out of text that comes in pieces (https://html.spec.whatwg.org/multipage/server-sent-events.html). */

export interface SseEvent {
  readonly name: string;
  readonly data: string;
  /** The last id that the stream gave. */
  readonly id: string;
}

/** A server that sends more than this without an end of a line or an event is not ours; in UTF-16 units. */
export const LONGEST_EVENT: number = 16 * 1024 * 1024;

export class SseParser {
  readonly #tell: (event: SseEvent) => void;
  #rest = '';
  #started = false;
  #afterReturn = false;
  #name = '';
  #data: string[] = [];
  #size = 0;
  #id = '';

  constructor(tell: (event: SseEvent) => void) {
    this.#tell = tell;
  }

  /** @throws {RangeError} of a line or an event that is too long */
  push(piece: string): void {
    let text = piece;
    if (!this.#started && text !== '') {
      this.#started = true;
      if (text.startsWith('\ufeff')) text = text.slice(1);
    }
    // The second half of an end of a line that was cut in two.
    if (this.#afterReturn && text.startsWith('\n')) text = text.slice(1);
    if (piece !== '') this.#afterReturn = text === '' ? false : text.endsWith('\r');
    const lines = (this.#rest + text).split(/\r\n|\n|\r/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#read(line);
    if (this.#rest.length + this.#size > LONGEST_EVENT)
      throw new RangeError('The stream sends an event without an end');
  }

  #read(line: string): void {
    if (line === '') {
      this.#end();
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') this.#name = value;
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'data') {
      this.#data.push(value);
      this.#size += value.length + 1;
    }
  }

  #end(): void {
    const [name, data] = [this.#name, this.#data];
    this.#name = '';
    this.#data = [];
    this.#size = 0;
    if (data.length > 0) this.#tell({ name: name === '' ? 'message' : name, data: data.join('\n'), id: this.#id });
  }
}
