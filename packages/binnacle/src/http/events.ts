/** Counts the events of a stream from the bytes that pass, however they are cut into chunks. */

export interface EventCounter {
  /** Reads a chunk; gives how many events it completed. */
  feed(chunk: string | Uint8Array): number;
  /** The stream ended well; gives how many events that completed (a last line without its newline). */
  end(): number;
}

const LF = 10;
const CR = 13;
const COLON = 58;
const DATA: readonly number[] = [...Buffer.from('data')];
const BYTE_ORDER_MARK: readonly number[] = [0xef, 0xbb, 0xbf];

/** The content type that was asked last and had no events, which is most answers' own. */
let latestWithout = '';

/** The counter for a content type, or undefined for what is no stream of events. */
export function eventCounterFor(contentType: string): EventCounter | undefined {
  if (contentType === latestWithout) return undefined;
  if (/^text\/event-stream *(;|$)/i.test(contentType)) return new SseCounter();
  if (/^application\/(x-ndjson|jsonl|x-jsonlines) *(;|$)/i.test(contentType)) return new LineCounter();
  latestWithout = contentType;
  return undefined;
}

/**
 * Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html): an event is dispatched by a
 * blank line after at least one `data` field. Comments, which heartbeats are, dispatch nothing, nor does an event that
 * the stream's end cuts.
 */
class SseCounter implements EventCounter {
  /** Codes of the line so far; past the name of a field it says only that. */
  #column = 0;
  #isData = true;
  #hasData = false;
  #afterCr = false;
  /** Codes of the byte order mark, which a stream may begin with, so far; all of them once that can be no more. */
  #mark = 0;

  feed(chunk: string | Uint8Array): number {
    if (typeof chunk !== 'string') return this.#feedBytes(chunk);
    const isPlain = this.#mark === BYTE_ORDER_MARK.length && !this.#afterCr && !chunk.includes('\r');
    return isPlain ? this.#feedLines(chunk) : this.#feedText(chunk, 0, chunk.length);
  }

  end(): number {
    return 0;
  }

  /** A text whose lines all end in LF: the engine looks for them far faster than they are read by their codes. */
  #feedLines(text: string): number {
    // A line that the chunk before began comes first; it may go on after this one.
    let at = this.#column === 0 ? 0 : text.indexOf('\n') + 1 || text.length;
    let events = this.#feedText(text, 0, at);
    for (let end = text.indexOf('\n', at); end !== -1; end = text.indexOf('\n', at)) {
      if (end > at) this.#hasData ||= isDataLine(text, at, end);
      else if (this.#hasData) {
        events += 1;
        this.#hasData = false;
      }
      at = end + 1;
    }
    events += this.#feedText(text, at, text.length);
    return events;
  }

  /** What follows the name of a field is passed over up to the line's end: most of a stream is that. */
  #feedText(text: string, from: number, to: number): number {
    let events = 0;
    for (let i = from; i < to; i += 1) {
      if (this.#column > DATA.length) while (i < to && !isEnd(text.charCodeAt(i))) i += 1;
      if (i < to && this.#read(text.charCodeAt(i))) events += 1;
    }
    return events;
  }

  #feedBytes(bytes: Uint8Array): number {
    let events = 0;
    for (let i = 0; i < bytes.length; i += 1) {
      if (this.#column > DATA.length) while (i < bytes.length && !isEnd(bytes[i] as number)) i += 1;
      if (i < bytes.length && this.#read(bytes[i] as number)) events += 1;
    }
    return events;
  }

  /** Whether an event is dispatched by it. */
  #read(code: number): boolean {
    const wasCr = this.#afterCr;
    this.#afterCr = code === CR;
    if ((code === LF && wasCr) || (this.#mark < BYTE_ORDER_MARK.length && this.#isMark(code))) return false;
    if (!isEnd(code)) {
      if (code !== (DATA[this.#column] ?? COLON)) this.#isData = false;
      this.#column += 1;
      return false;
    }
    const dispatches = this.#column === 0 && this.#hasData;
    this.#hasData = this.#column !== 0 && (this.#hasData || (this.#isData && this.#column >= DATA.length));
    this.#column = 0;
    this.#isData = true;
    return dispatches;
  }

  #isMark(code: number): boolean {
    const isMark = code === BYTE_ORDER_MARK[this.#mark] || (this.#mark === 0 && code === 0xfeff);
    this.#mark = isMark && code !== 0xfeff ? this.#mark + 1 : BYTE_ORDER_MARK.length;
    return isMark;
  }
}

/** Newline-delimited JSON: one event for each line that is not empty. */
class LineCounter implements EventCounter {
  #hasText = false;

  feed(chunk: string | Uint8Array): number {
    let events = 0;
    for (let i = 0; i < chunk.length; i += 1) {
      const code = typeof chunk === 'string' ? chunk.charCodeAt(i) : (chunk[i] as number);
      if (code === LF) events += this.end();
      else if (code !== CR) this.#hasText = true;
    }
    return events;
  }

  end(): number {
    const events = this.#hasText ? 1 : 0;
    this.#hasText = false;
    return events;
  }
}

/** Whether a line, which begins and ends there, is a field of that name. */
function isDataLine(text: string, at: number, end: number): boolean {
  for (let i = 0; i < DATA.length; i += 1) if (text.charCodeAt(at + i) !== DATA[i]) return false;
  return end === at + DATA.length || text.charCodeAt(at + DATA.length) === COLON;
}

function isEnd(code: number): boolean {
  return code === LF || code === CR;
}
