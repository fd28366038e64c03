/** Server-Sent Events out of bytes, by the HTML standard's section 9.2.6, wherever the bytes were cut. */

export interface SseEvent {
  /** `message` where the event has no name. */
  readonly name: string;
  readonly data: string;
}

export interface SseReader {
  /** The events that these bytes complete. Throws `RangeError` for one that is larger than the limit. */
  read(bytes: Uint8Array): SseEvent[];
}

/** An event that nobody sends who means well, in UTF-16 units. */
const MAX_EVENT = 16 * 1024 * 1024;

/**
 * Comments and unknown fields are passed over, as is an event that the end of the stream cuts short. Every character is
 * looked at once, however small the pieces are.
 */
export function createSseReader(maxEvent: number = MAX_EVENT): SseReader {
  const decoder = new TextDecoder();
  let line = '';
  let afterReturn = false;
  let name = '';
  let data: string[] = [];
  let size = 0;

  const endLine = (events: SseEvent[]): void => {
    if (line === '') {
      if (data.length > 0) events.push({ name: name === '' ? 'message' : name, data: data.join('\n') });
      name = '';
      data = [];
      size = 0;
      return;
    }
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') name = value;
    else if (field === 'data') {
      data.push(value);
      size += value.length + 1;
    }
    line = '';
  };

  return {
    read(bytes) {
      const events: SseEvent[] = [];
      const text = decoder.decode(bytes, { stream: true });
      let from = 0;
      for (const { index, 0: ending } of text.matchAll(/[\r\n]/g)) {
        // The second half of CRLF, which may have been cut apart.
        const isHalf = ending === '\n' && index === from && afterReturn;
        if (!isHalf) {
          line += text.slice(from, index);
          endLine(events);
        }
        afterReturn = ending === '\r';
        from = index + 1;
      }
      if (from < text.length) {
        line += text.slice(from);
        afterReturn = false;
      }
      if (line.length + size > maxEvent) throw new RangeError(`an event is larger than ${maxEvent} characters`);
      return events;
    },
  };
}
