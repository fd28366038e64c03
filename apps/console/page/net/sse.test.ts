import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LONGEST_EVENT, type SseEvent, SseParser } from './sse.ts';

function parse(...pieces: string[]): SseEvent[] {
  const events: SseEvent[] = [];
  const parser = new SseParser((event) => events.push(event));
  for (const piece of pieces) parser.push(piece);
  return events;
}

describe('the parser of events', () => {
  it('follows the specification', () => {
    expect(
      parse('\ufeff: hello\n\nid: 7\nevent: logs\ndata: a\ndata:b\ndata\n\ndata: c\n\nevent: none\n\ndata: cut'),
    ).toEqual([
      { name: 'logs', data: 'a\nb\n', id: '7' },
      { name: 'message', data: 'c', id: '7' },
    ]);
    expect(parse('data:  two spaces\rid\r\nid: x\0y\r\r')).toEqual([{ name: 'message', data: ' two spaces', id: '' }]);
  });

  it('reads the same however it is cut into pieces, and whatever ends its lines', () => {
    const field = fc.oneof(
      fc.stringMatching(/^(data|event|id|retry|: ?x|unknown)(:( ?[a-z:]{0,5})?)?$/),
      fc.constant(''),
    );
    fc.assert(
      fc.property(
        fc.array(field, { maxLength: 20 }),
        fc.constantFrom('\n', '\r', '\r\n'),
        fc.infiniteStream(fc.integer({ min: 1, max: 4 })),
        (lines, end, sizes) => {
          const text = `${lines.join(end)}${end}${end}`;
          const pieces: string[] = [];
          for (let at = 0; at < text.length; ) {
            const size = sizes.next().value as number;
            pieces.push(text.slice(at, at + size));
            at += size;
          }
          expect(parse(...pieces)).toEqual(parse(`${lines.join('\n')}\n\n`));
        },
      ),
    );
  });

  it('does not take in without bound what never ends', () => {
    const parser = new SseParser(() => undefined);
    const piece = `data: ${'x'.repeat(1024 * 1024)}\n`;
    expect(() => {
      for (let size = 0; size <= LONGEST_EVENT; size += piece.length) parser.push(piece);
    }).toThrow(RangeError);
  });
});
