import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSseReader, type SseEvent } from './sse.ts';

const encoder = new TextEncoder();

/** Reads bytes that were cut at these places. */
function readCut(bytes: Uint8Array, cuts: readonly number[]): SseEvent[] {
  const reader = createSseReader();
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).flatMap((end, at) => reader.read(bytes.subarray(places[at], end)));
}

const read = (text: string): SseEvent[] => createSseReader().read(encoder.encode(text));

const line = fc.string({ unit: 'binary', maxLength: 24 }).map((text) => text.replaceAll(/[\r\n\ufeff\p{Cs}]/gu, ''));
const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).map((text) => text.replaceAll(/[\r\n]/g, 'x'));
const ending = fc.constantFrom('\n', '\r\n', '\r');
/** What stands between the lines of an event and says nothing. */
const noise = fc.array(
  fc.oneof(
    line.map((text) => `:${text}`),
    fc.constantFrom('id: 7', 'retry: 100', 'unknown', 'unknown: field', 'datax: no'),
  ),
  { maxLength: 3 },
);
const event = fc.record({
  name: fc.option(word, { nil: undefined }),
  lines: fc.array(line, { minLength: 1, maxLength: 4 }),
  space: fc.boolean(),
  noise,
  // One for a whole event: a return and a line feed of two lines would be one ending.
  ending,
});

type Written = typeof event extends fc.Arbitrary<infer T> ? T : never;

function write({ name, lines, space, noise, ending }: Written): string {
  const all = [
    ...noise,
    ...(name === undefined ? [] : [`event:${space ? ' ' : ''}${name}`]),
    // Without the gap, a first space of the data would be taken for it.
    ...lines.map((text) => `data:${space || text.startsWith(' ') ? ' ' : ''}${text}`),
    '',
  ];
  return all.map((text) => text + ending).join('');
}

describe('the reader of Server-Sent Events', () => {
  it('finds the same events wherever the bytes are cut, whatever ends a line', () => {
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 6 }),
        fc.array(fc.nat(4096), { maxLength: 12 }),
        fc.boolean(),
        (events, cuts, marked) => {
          const text = events.map(write).join(':between\n');
          const expected = events.map(({ name, lines, space }) => ({
            name: name === undefined ? 'message' : !space && name.startsWith(' ') ? name.slice(1) || 'message' : name,
            data: lines.join('\n'),
          }));
          expect(readCut(encoder.encode(`${marked ? '\ufeff' : ''}${text}`), cuts)).toEqual(expected);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('reads byte by byte what it reads at once, whatever the bytes are', () => {
    const pieces = fc.constantFrom('data: ä€😀', 'event: x', ':c', '\n', '\r', '\r\n', '\n\n', 'data', ':', ' ');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        const bytes = encoder.encode(parts.join(''));
        expect(readCut(bytes, [...bytes.keys()])).toEqual(createSseReader().read(bytes));
      }),
      { numRuns: 400 },
    );
  });

  it('bytes that are no UTF-8 become marks of replacement, and never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(200), { maxLength: 6 }), (bytes, cuts) => {
        expect(() => readCut(bytes, cuts)).not.toThrow();
      }),
    );
    expect(createSseReader().read(Uint8Array.of(...encoder.encode('data: '), 0xff, 0x0a, 0x0a))).toEqual([
      { name: 'message', data: '\ufffd' },
    ]);
  });

  it('passes over comments, events without data, and one that the end cuts short', () => {
    expect(read(': heartbeat\n\nevent: empty\n\ndata: whole\n\nevent: cut\ndata: off\n')).toEqual([
      { name: 'message', data: 'whole' },
    ]);
  });

  it('refuses an event without end, in one line or in many', () => {
    const fed = (text: string): (() => void) => {
      const reader = createSseReader(1000);
      return () => {
        for (let at = 0; at < 200; at += 1) reader.read(encoder.encode(text));
      };
    };
    expect(fed('data: endless ')).toThrow(RangeError);
    expect(fed('data: line by line\n')).toThrow(RangeError);
    expect(fed('data: small\n\n')).not.toThrow();
    expect(fed(': comment\n')).not.toThrow();
  });
});
