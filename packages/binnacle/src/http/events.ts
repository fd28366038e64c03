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

/** The counter for a content type, or undefined for what is no stream of events. */
export function eventCounterFor(contentType: string): EventCounter | undefined {
  if (/^text\/event-stream *(;|$)/i.test(contentType)) return createSseCounter();
  if (/^application\/(x-ndjson|jsonl|x-jsonlines) *(;|$)/i.test(contentType)) return createLineCounter();
  return undefined;
}

/**
 * Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html): an event is dispatched by a
 * blank line after at least one `data` field. Comments, which heartbeats are, dispatch nothing, nor does an event that
 * the stream's end cuts.
 */
function createSseCounter(): EventCounter {
  const isMark = createMarkReader();
  let column = 0;
  let isData = true;
  let hasData = false;
  let afterCr = false;
  const read = (code: number): boolean => {
    const wasCr = afterCr;
    afterCr = code === CR;
    if ((code === LF && wasCr) || isMark(code)) return false;
    if (code !== LF && code !== CR) {
      if (column <= DATA.length && code !== (DATA[column] ?? COLON)) isData = false;
      column += 1;
      return false;
    }
    const dispatches = column === 0 && hasData;
    hasData = column === 0 ? false : hasData || (isData && column >= DATA.length);
    column = 0;
    isData = true;
    return dispatches;
  };
  return { feed: (chunk) => countCodes(chunk, read), end: () => 0 };
}

/** Tells the byte order mark, which a stream may begin with, from what follows it. */
function createMarkReader(): (code: number) => boolean {
  let seen = 0;
  return (code) => {
    if (seen === BYTE_ORDER_MARK.length) return false;
    const isMark = code === BYTE_ORDER_MARK[seen] || (seen === 0 && code === 0xfeff);
    seen = isMark && code !== 0xfeff ? seen + 1 : BYTE_ORDER_MARK.length;
    return isMark;
  };
}

/** Newline-delimited JSON: one event for each line that is not empty. */
function createLineCounter(): EventCounter {
  let column = 0;
  const end = (): number => {
    const events = column > 0 ? 1 : 0;
    column = 0;
    return events;
  };
  const read = (code: number): boolean => {
    if (code === LF) return end() === 1;
    if (code !== CR) column += 1;
    return false;
  };
  return { feed: (chunk) => countCodes(chunk, read), end };
}

function countCodes(chunk: string | Uint8Array, read: (code: number) => boolean): number {
  let events = 0;
  for (let i = 0; i < chunk.length; i += 1) {
    if (read(typeof chunk === 'string' ? chunk.charCodeAt(i) : (chunk[i] as number))) events += 1;
  }
  return events;
}
