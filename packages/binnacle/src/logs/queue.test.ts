import { describe, expect, test } from 'vitest';
import { LineQueue, QUEUE_LIMIT, remainsOf } from './queue.ts';

const batchOf = (lines: string[], offset: number) => ({ lines, bytes: Buffer.from(lines.join('')), offset });

describe('the queue', () => {
  test('hands lines out in order, in batches of whole lines', () => {
    const queue = new LineQueue();
    const lines = Array.from({ length: 5000 }, (_, i) => `${i} ${'ä'.repeat(i % 60)}\n`);
    for (const line of lines) expect(queue.push(line)).toBe(true);
    const taken: string[] = [];
    for (let batch = queue.take(); batch !== undefined; batch = queue.take()) {
      expect(batch.bytes.toString()).toBe(batch.lines.join(''));
      expect(batch.bytes.length).toBeLessThanOrEqual(128 * 1024);
      taken.push(...batch.lines);
    }
    expect(taken).toEqual(lines);
    expect([queue.size, queue.length]).toEqual([0, 0]);
  });

  test.each(['€', 'ä', '😀', '\ud800', 'a'])('writes all of a batch of %j to the memory that it has', (text) => {
    for (const count of [10, 21_000, 22_000, 32_000, 65_000]) {
      const queue = new LineQueue(true);
      const line = `${text.repeat(Math.floor(count / text.length))}\n`;
      queue.push(line);
      expect(queue.take()?.bytes.equals(Buffer.from(line))).toBe(true);
      queue.push('next\n');
      expect(queue.take()?.bytes.toString()).toBe('next\n');
    }
  });

  test('takes no more than its limit, and one line however long', () => {
    const queue = new LineQueue();
    const long = 'x'.repeat(1024 * 1024);
    for (let i = 0; i < QUEUE_LIMIT / long.length; i++) expect(queue.push(long)).toBe(true);
    expect(queue.push('x')).toBe(false);
    expect(queue.take()?.lines).toHaveLength(1);
    expect(queue.push('x')).toBe(true);
    expect(queue.clear()).toBe(4);
    expect(queue.take()).toBeUndefined();
  });
});

describe('what remains of a batch', () => {
  test.each([
    [0, { written: 0, lost: 3, torn: undefined }],
    [3, { written: 1, lost: 2, torn: undefined }],
    [7, { written: 3, lost: 0, torn: undefined }],
  ])('broken off between lines, after %i bytes', (offset, expected) => {
    expect(remainsOf(batchOf(['ä\n', 'b\n', 'c\n'], offset))).toEqual(expected);
  });

  test('broken off within a line, even within a character: the rest of that line is kept', () => {
    const { written, lost, torn } = remainsOf(batchOf(['a\n', 'ä\n', 'c\n'], 3));
    expect({ written, lost }).toEqual({ written: 1, lost: 1 });
    expect(torn?.bytes).toEqual(Buffer.from('ä\n').subarray(1));
    expect(torn && remainsOf(torn)).toEqual({ written: 0, lost: 0, torn });
  });
});
