import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { Writer } from './writer.ts';

const FULL = '/dev/full';
const folder = mkdtempSync(join(tmpdir(), 'binnacle-writer-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function openWriter(fd: number, mode: 'direct' | 'pooled') {
  const seen = { dropped: 0, told: [] as string[] };
  const writer = new Writer({
    fd,
    mode,
    onDropped: (lines) => {
      seen.dropped += lines;
    },
    onDown: (code) => seen.told.push(code),
    onUp: () => seen.told.push('up'),
  });
  return { writer, seen };
}

describe.skipIf(!existsSync(FULL)).each(['direct', 'pooled'] as const)('a %s writer that fails', (mode) => {
  test('goes on with what it is given next, and says so once', async () => {
    const { writer, seen } = openWriter(openSync(FULL, 'w'), mode);
    writer.write('a\n');
    await writer.flush();
    expect(seen).toEqual({ dropped: 1, told: ['ENOSPC'] });
    writer.write('b\n');
    const path = join(folder, `${mode}.log`);
    writer.reopen(openSync(path, 'a'));
    writer.write('c\n');
    await writer.close();
    expect(readFileSync(path, 'utf8')).toBe('b\nc\n');
    expect(seen).toEqual({ dropped: 1, told: ['ENOSPC', 'up'] });
  });

  test('tries again by itself', async () => {
    const { writer, seen } = openWriter(openSync(FULL, 'w'), mode);
    writer.write('a\n');
    await writer.flush();
    writer.write('b\n');
    await vi.waitFor(() => expect(seen.dropped).toBe(2), { timeout: 5000, interval: 20 });
    expect(seen.told).toEqual(['ENOSPC']);
    await writer.close();
  });

  test('keeps nobody waiting', async () => {
    const { writer, seen } = openWriter(openSync(FULL, 'w'), mode);
    const began = performance.now();
    for (let i = 0; i < 1000; i++) writer.write(`${'x'.repeat(1000)}\n`);
    await writer.close();
    writer.write('late\n');
    writer.leave();
    expect(seen.dropped).toBe(1001);
    expect(performance.now() - began).toBeLessThan(900);
  });
});

test.each(['direct', 'pooled'] as const)('a %s writer writes all it took, in order', async (mode) => {
  const path = join(folder, `all-${mode}.log`);
  const { writer, seen } = openWriter(openSync(path, 'a'), mode);
  let expected = '';
  for (let i = 0; i < 20_000; i++) {
    const line = `${i} ä€😀\n`;
    expected += line;
    writer.write(line);
    if (i % 1000 === 0) await writer.flush();
  }
  writer.leave();
  expect(readFileSync(path, 'utf8') === expected).toBe(true);
  writer.write('late\n');
  expect(readFileSync(path, 'utf8') === `${expected}late\n`).toBe(true);
  await writer.close();
  expect(seen).toEqual({ dropped: 0, told: [] });
});
