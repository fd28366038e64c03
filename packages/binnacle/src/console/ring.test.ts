import { describe, expect, test, vi } from 'vitest';
import { RECORD_BYTES, Ring } from './ring.ts';
import { readText } from './store.ts';

const KiB = 1024;

/** All that is held from a number on, with the numbers. */
function held(ring: Ring, from = 0): { numbers: number[]; texts: string[]; next: number } {
  const [numbers, texts]: [number[], string[]] = [[], []];
  const next = ring.read(from, (text, number) => {
    numbers.push(number);
    texts.push(text);
    return true;
  });
  return { numbers, texts, next };
}

function fill(ring: Ring, count: number, text: (index: number) => string): void {
  for (let index = 0; index < count; index += 1) ring.addText(text(index), readText);
}

describe('bounds', () => {
  test('by count: the oldest make room, one by one, and are counted', () => {
    const ring = new Ring({ count: 100, bytes: 1024 * KiB });
    fill(ring, 250, (index) => `record ${index}`);
    expect([ring.count, ring.first, ring.next, ring.evicted]).toEqual([100, 150, 250, 150]);
    const { texts, numbers } = held(ring);
    expect([texts[0], texts.at(-1), numbers[0], numbers.at(-1)]).toEqual(['record 150', 'record 249', 150, 249]);
    expect(ring.bytes).toBe('record 150'.length * 100);
  });

  test('by bytes: what is held never takes more, whatever comes', () => {
    const bounds = { count: 1_000_000, bytes: 64 * KiB };
    const ring = new Ring(bounds);
    for (let index = 0; index < 2000; index += 1) {
      ring.addText('x'.repeat((index * 37) % 3000), readText);
      expect(ring.bytes).toBeLessThanOrEqual(bounds.bytes);
    }
    // And not much less: a quarter at most goes at once, and as much is left at ends of pieces.
    expect(ring.bytes).toBeGreaterThan(bounds.bytes / 2);
    expect(ring.evicted + ring.count).toBe(2000);
    expect(held(ring).texts).toHaveLength(ring.count);
  });

  test('memory is taken as it is needed, and used again', () => {
    const before = process.memoryUsage().external;
    const ring = new Ring({ count: 1000, bytes: 64 * KiB * KiB });
    fill(ring, 10, () => 'small');
    expect(process.memoryUsage().external - before).toBeLessThan(2 * KiB * KiB);
    // A thousand of 10 KiB stay; a hundred thousand of them pass through.
    const text = 'y'.repeat(10 * KiB);
    fill(ring, 100_000, () => text);
    expect(process.memoryUsage().external - before).toBeLessThan(32 * KiB * KiB);
    expect(ring.count).toBe(1000);
  });

  test('a record that is too large is left out, and counted; the next one is kept', () => {
    const ring = new Ring({ count: 10, bytes: 4096 * KiB });
    fill(ring, 1, () => 'z'.repeat(RECORD_BYTES + 1));
    ring.addBytes(Buffer.alloc(RECORD_BYTES + 1), readText);
    ring.leaveOut();
    expect([ring.count, ring.next, ring.evicted]).toEqual([0, 0, 3]);
    fill(ring, 1, () => 'z'.repeat(RECORD_BYTES));
    // Of more bytes than it has code units, and of as many as may be.
    fill(ring, 1, () => 'ü'.repeat(RECORD_BYTES / 2));
    fill(ring, 1, () => 'ü'.repeat(RECORD_BYTES / 2 + 1));
    expect([ring.count, ring.evicted]).toEqual([2, 4]);
    expect(held(ring).texts.map(({ length }) => length)).toEqual([RECORD_BYTES, RECORD_BYTES / 2]);
  });
});

test('without memory nothing is kept, which is counted, and nothing is thrown', () => {
  const ring = new Ring({ count: 10, bytes: 1024 * KiB });
  const noMemory = vi.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation(() => {
    throw new RangeError('Array buffer allocation failed');
  });
  fill(ring, 3, String);
  noMemory.mockRestore();
  expect([ring.count, ring.evicted]).toEqual([0, 3]);
  fill(ring, 2, String);
  expect(held(ring).texts).toEqual(['0', '1']);
});

describe('reading', () => {
  test('goes on from any number; what was let go is passed over', () => {
    const ring = new Ring({ count: 10, bytes: 64 * KiB });
    fill(ring, 25, String);
    expect(held(ring, 20)).toEqual({ numbers: [20, 21, 22, 23, 24], texts: ['20', '21', '22', '23', '24'], next: 25 });
    expect(held(ring, 3).numbers[0]).toBe(15);
    expect(held(ring, 25)).toEqual({ numbers: [], texts: [], next: 25 });
    // Of another store, at worst.
    expect(held(ring, 1e15)).toEqual({ numbers: [], texts: [], next: 1e15 });
  });

  test('stops where it is told to, and that record comes first next time', () => {
    const ring = new Ring({ count: 10, bytes: 64 * KiB });
    fill(ring, 8, String);
    const seen: string[] = [];
    const next = ring.read(0, (text) => seen.length < 3 && seen.push(text) > 0);
    expect([next, seen]).toEqual([3, ['0', '1', '2']]);
    expect(held(ring, next).texts[0]).toBe('3');
  });

  test('passes over what cannot be read', () => {
    const ring = new Ring({ count: 10, bytes: 64 * KiB });
    const broken = (): never => {
      throw new Error('no record');
    };
    ring.addText('a', readText);
    ring.addText('b', broken);
    ring.addText('c', () => undefined);
    ring.addText('d', readText);
    expect(held(ring)).toEqual({ numbers: [0, 3], texts: ['a', 'd'], next: 4 });
  });

  test('decodes nothing until it is asked', () => {
    const ring = new Ring({ count: 10, bytes: 64 * KiB });
    let reads = 0;
    const read = (bytes: Buffer): string => {
      reads += 1;
      return String(bytes.length);
    };
    for (let index = 0; index < 5; index += 1) ring.addBytes(Buffer.alloc(index), read);
    expect(reads).toBe(0);
    expect(held(ring, 2).texts).toEqual(['2', '3', '4']);
    expect(reads).toBe(3);
  });

  test('keeps a copy: what is written over the bytes afterwards changes nothing', () => {
    const ring = new Ring({ count: 10, bytes: 64 * KiB });
    const bytes = Buffer.from('before');
    ring.addBytes(bytes, readText);
    bytes.write('after!');
    expect(held(ring).texts).toEqual(['before']);
  });
});

test('every plane of Unicode comes back as it was, a lone surrogate as U+FFFD', () => {
  const ring = new Ring({ count: 100, bytes: 1024 * KiB });
  const planes = Array.from({ length: 17 }, (_, plane) => String.fromCodePoint(plane * 0x10000 + 0x41));
  const texts = [...planes, '\u0000\u001b[31m\u2028\u2029', '<script>alert(1)</script>'];
  for (const text of texts) ring.addText(text, readText);
  ring.addText('a\ud800b\udc00', readText);
  expect(held(ring).texts).toEqual([...texts, 'a\ufffdb\ufffd']);
});

test('against a plain list, whatever is added', () => {
  const bounds = { count: 50, bytes: 8 * KiB };
  const ring = new Ring(bounds);
  const list: string[] = [];
  let state = 1;
  for (let index = 0; index < 5000; index += 1) {
    state = (state * 48271) % 2147483647;
    const text = `${index}:${'ä'.repeat(state % 400)}`;
    list.push(text);
    ring.addText(text, readText);
    expect(ring.next).toBe(list.length);
    expect(ring.count).toBeLessThanOrEqual(bounds.count);
    if (index % 97 !== 0) continue;
    const { texts, numbers } = held(ring);
    expect(texts).toEqual(list.slice(ring.first));
    expect(numbers[0]).toBe(ring.first);
    expect(ring.bytes).toBe(texts.reduce((sum, one) => sum + Buffer.byteLength(one), 0));
    expect(ring.evicted).toBe(ring.first);
  }
});
