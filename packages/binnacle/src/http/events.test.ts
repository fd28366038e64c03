import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eventCounterFor } from './events.ts';

const SSE = 'text/event-stream; charset=utf-8';
const NDJSON = 'application/x-ndjson';

/** Feeds all chunks, then the end; gives the events in all. */
function count(contentType: string, chunks: readonly (string | Uint8Array)[]): number {
  const counter = eventCounterFor(contentType);
  if (counter === undefined) throw new Error(`${contentType} is not counted`);
  return chunks.reduce((events, chunk) => events + counter.feed(chunk), 0) + counter.end();
}

/** The standard's parser, written line by line over the whole text: what the counter must agree with. */
function dispatched(text: string): number {
  let events = 0;
  let data = '';
  for (const line of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .slice(0, -1)) {
    if (line === '') {
      if (data !== '') events += 1;
      data = '';
    } else if (line === 'data' || line.startsWith('data:')) data += `${line.slice(5)}\n`;
  }
  return events;
}

/** Cuts bytes at arbitrary places, inside of characters too. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, i) => bytes.subarray(from, at[i] ?? bytes.length));
}

const line = fc.oneof(
  fc.constantFrom('data: x', 'data', 'data:', 'data:é€😀', ': ping', ':', 'event: phase', 'id: 1', 'retry: 5', ''),
  fc.constantFrom('dat', 'date: 1', 'datax: 1', ' data: x', 'd', 'DATA: x', 'data : x', 'dat\uFEFFa: x'),
  fc.string({ maxLength: 8 }).map((text) => text.replace(/[\r\n]/g, '')),
);
const stream = fc
  .array(fc.tuple(line, fc.constantFrom('\n', '\r', '\r\n')), { maxLength: 30 })
  .chain((lines) => fc.constantFrom('', '\uFEFF').map((bom) => bom + lines.map(([text, end]) => text + end).join('')));
const places = fc.array(fc.nat(), { maxLength: 12 });

describe('Server-Sent Events', () => {
  test('however the bytes are cut, what is counted is what a browser would dispatch', () => {
    fc.assert(
      fc.property(stream, places, (text, at) => {
        expect(count(SSE, cut(new TextEncoder().encode(text), at))).toBe(dispatched(text));
      }),
      { numRuns: 2000 },
    );
  });

  test('text chunks count as their bytes do', () => {
    fc.assert(
      fc.property(stream, fc.nat(), (text, at) => {
        const half = at % (text.length + 1);
        expect(count(SSE, [text.slice(0, half), text.slice(half)])).toBe(dispatched(text));
      }),
      { numRuns: 1000 },
    );
  });

  test('lines that all end in LF, in chunks of text cut anywhere, count as their bytes do', () => {
    fc.assert(
      fc.property(stream, places, (text, at) => {
        const plain = text.replace(/\r\n|\r/g, '\n');
        const ends = [...at.map((place) => place % (plain.length + 1)), plain.length].sort((a, b) => a - b);
        const chunks = ends.map((end, i) => plain.slice(ends[i - 1] ?? 0, end));
        expect(count(SSE, chunks)).toBe(dispatched(plain));
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['one event', 'data: a\n\n', 1],
    ['several lines of data are one event', 'data: a\ndata: b\ndata: c\n\n', 1],
    ['CR LF', 'event: x\r\ndata: a\r\n\r\ndata: b\r\n\r\n', 2],
    ['CR', 'data: a\r\rdata: b\r\r', 2],
    ['a heartbeat', ': ping\n\n: ping\n\n', 0],
    ['a comment inside of an event', 'data: a\n: ping\ndata: b\n\n', 1],
    ['an event without data', 'event: x\nid: 3\n\n', 0],
    ['empty data', 'data\n\ndata:\n\n', 2],
    ['a field that only begins like data', 'date: 2026\n\ndatabase: x\n\n', 0],
    ['an event that was not finished', 'data: a\n\ndata: b\n', 1],
    ['nothing', '', 0],
  ])('%s', (_, text, events) => {
    expect(count(SSE, [text])).toBe(events);
    expect(count(SSE, [...text])).toBe(events);
    expect(
      count(
        SSE,
        [...Buffer.from(text)].map((byte) => Uint8Array.of(byte)),
      ),
    ).toBe(events);
  });
});

describe('newline-delimited JSON', () => {
  test('however the bytes are cut, each line that is not empty counts, the last one with or without its newline', () => {
    const rows = fc.array(fc.tuple(fc.constantFrom('{"a":1}', '"é😀"', '', '7'), fc.constantFrom('\n', '\r\n')), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(rows, fc.constantFrom('', '{"last":true}'), places, (lines, last, at) => {
        const text = lines.map(([row, end]) => row + end).join('') + last;
        const expected = text.split(/\r?\n/).filter((row) => row !== '').length;
        expect(count(NDJSON, cut(new TextEncoder().encode(text), at))).toBe(expected);
      }),
      { numRuns: 1000 },
    );
  });

  test.each(['application/x-ndjson', 'application/jsonl; charset=utf-8', 'application/x-jsonlines'])('%s', (type) => {
    expect(count(type, ['1\n2\n'])).toBe(2);
  });
});

test('types are compared without their case, and any other answer is no stream of events', () => {
  expect(eventCounterFor('Text/Event-Stream')).toBeDefined();
  expect(eventCounterFor('Application/X-NDJSON')).toBeDefined();
  for (const type of [
    'application/json',
    'application/json',
    'image/png',
    'application/json',
    'text/plain',
    'text/event-streams',
    'application/x-ndjsons',
    '',
  ])
    expect(eventCounterFor(type)).toBeUndefined();
  // Whatever was asked before.
  for (const type of [SSE, NDJSON, 'text/event-stream', 'application/jsonl']) {
    expect(eventCounterFor('application/json')).toBeUndefined();
    expect(eventCounterFor(type)).toBeDefined();
  }
});
