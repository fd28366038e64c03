import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createPieces } from './pieces.ts';

it('a growing text is the same text in pieces, wherever it was cut', () => {
  const parts = fc.array(fc.constantFrom('a', 'word ', '\n', '\n\n', '- item', '😀'), { maxLength: 60 });
  fc.assert(
    fc.property(parts, (chunks) => {
      const pieces = createPieces(10_000);
      const done = chunks.flatMap((chunk) => pieces.push(chunk));
      expect(done.join('') + pieces.rest).toBe(chunks.join(''));
      for (const piece of done) expect(piece.endsWith('\n\n')).toBe(true);
      expect(pieces.rest).not.toContain('\n\n');
    }),
  );
});

it('shows no more than it may, and counts what it leaves out', () => {
  const pieces = createPieces(20_000);
  let shown = '';
  for (let at = 0; at < 100; at += 1) shown += pieces.push('x'.repeat(1000)).join('');
  expect((shown + pieces.rest).length).toBe(20_000);
  expect(pieces.leftOut).toBe(80_000);
  expect(pieces.rest.length).toBeLessThan(8000);
});

it('never cuts a character in two, and shows nothing after what was left out', () => {
  const pieces = createPieces(2);
  expect(pieces.push('a😀').concat(pieces.rest)).toEqual(['a']);
  pieces.push('b');
  expect(pieces.rest).toBe('a');
  expect(pieces.leftOut).toBe(3);
});
