import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { growth } from '../../../../test/growth.ts';
import { type Chunk, countTokens, streamVerdict, toChunks } from './tokens.ts';

const collect = async (chunks: AsyncIterable<Chunk>): Promise<Chunk[]> => {
  const all: Chunk[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
};
const sum = (chunks: readonly Chunk[]) => chunks.reduce((total, { tokens }) => total + tokens, 0);
const whole = (chunks: readonly Chunk[]) => chunks.map(({ text }) => text).join('');

describe('countTokens', () => {
  it('counts as the encoding does, special tokens as plain text', () => {
    expect([countTokens(''), countTokens('hello world'), countTokens('<|endoftext|>') > 1]).toEqual([0, 2, true]);
  });

  it.each(['a', ' ', '🙂', '\n'])('its time grows with the text, not with its square: unbroken runs of %j', (piece) => {
    expect(growth(countTokens, piece.repeat(2000))).toBeLessThan(40);
  });
});

describe('toChunks', () => {
  it('adds up to the text and its tokens, whatever the text', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.lorem({ maxCount: 60 }));
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 20 }), (value, size) => {
        const chunks = toChunks(value, size);
        expect(whole(chunks)).toBe(value);
        expect(sum(chunks)).toBe(countTokens(value));
        expect(chunks.every((chunk) => chunk.text !== '')).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('never ends inside a character', () => {
    for (const { text } of toChunks('👩‍👩‍👧 naïve 数据 🙂🙂🙂 x'.repeat(9), 1))
      expect(/\p{Cs}/u.test(text)).toBe(false);
  });

  it('takes runs that are too long to encode as one', () => {
    const text = `start ${'🙂'.repeat(3000)} end ${'x'.repeat(5000)}${' '.repeat(700)}.`;
    expect(whole(toChunks(text))).toBe(text);
    expect(sum(toChunks(text))).toBe(countTokens(text));
  });
});

describe('streamVerdict', () => {
  it('yields the chunks in order', async () => {
    const text = 'A verdict of several words, [work:1], that goes on for a while.';
    const chunks = await collect(streamVerdict(text, { delayMs: 0 }));
    expect(chunks).toEqual(toChunks(text));
    expect(chunks.length).toBeGreaterThan(1);
    expect(await collect(streamVerdict(''))).toEqual([]);
  });

  it('throws the reason of an abort before the first chunk', async () => {
    const reason = new Error('gone');
    await expect(collect(streamVerdict('a b c', { signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
  });

  it('throws the reason at once while it pauses', async () => {
    const controller = new AbortController();
    const reason = new Error('left');
    const stream = streamVerdict('one two three '.repeat(20), { signal: controller.signal, delayMs: 600_000 });
    await stream.next();
    const next = stream.next();
    controller.abort(reason);
    await expect(next).rejects.toBe(reason);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('throws after an abort between two chunks without a pause', async () => {
    const controller = new AbortController();
    const stream = streamVerdict('one two three '.repeat(20), { signal: controller.signal, delayMs: 0 });
    await stream.next();
    controller.abort('why');
    await expect(stream.next()).rejects.toBe('why');
  });
});
