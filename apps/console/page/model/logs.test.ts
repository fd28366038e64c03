import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { line } from '../test/records.ts';
import { FilteredLogs, LINE_LIMIT, Logs } from './logs.ts';
import { volumeOf } from './volume.ts';

describe('lines', () => {
  it('are found by trace and by number, as long as they are held', () => {
    const logs = new Logs();
    logs.add([line({ seq: 3, traceId: 'a' }), line({ seq: 4 }), line({ seq: 9, traceId: 'a' })], 30);
    expect(logs.ofTrace('a').map(({ seq }) => seq)).toEqual([3, 9]);
    expect(logs.ofTrace('b')).toEqual([]);
    expect(logs.bySeq(9)?.seq).toBe(9);
    expect(logs.bySeq(5)).toBeUndefined();
    expect(logs.bySeq(Number.NaN)).toBeUndefined();
    logs.add(
      Array.from({ length: LINE_LIMIT }, (_, at) => line({ seq: 10 + at, traceId: 'b' })),
      1,
    );
    expect(logs.count).toBe(LINE_LIMIT);
    expect(logs.ofTrace('a')).toEqual([]);
    expect(logs.ofTrace('b').length).toBe(LINE_LIMIT);
    expect(logs.bySeq(3)).toBeUndefined();
    expect(logs.bySeq(10 + LINE_LIMIT - 1)?.traceId).toBe('b');
  });
});

describe('filtered lines', () => {
  it('are what a filter over all that is held gives, after each step, though each line is looked at once', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.boolean(), { maxLength: 8 }), { maxLength: 12 }), (batches) => {
        const logs = new Logs();
        let looked = 0;
        const fits = ({ message }: { message: string }): boolean => message === 'yes';
        const filtered = new FilteredLogs(logs, (one) => {
          looked += 1;
          return fits(one);
        });
        let seq = 0;
        for (const batch of batches) {
          logs.add(
            batch.map((yes) => line({ seq: seq++, message: yes ? 'yes' : 'no' })),
            1,
          );
          filtered.update();
          const all = Array.from({ length: logs.next - logs.first }, (_, at) => logs.at(logs.first + at)!);
          expect(filtered.lines).toEqual(all.filter(fits));
        }
        expect(looked).toBe(seq);
      }),
    );
  });

  it('let go of what the log lets go of, and are the same array where nothing changed', () => {
    const logs = new Logs();
    const filtered = new FilteredLogs(logs, ({ seq }) => seq % 2 === 0);
    logs.add(
      Array.from({ length: LINE_LIMIT }, (_, seq) => line({ seq })),
      1,
    );
    filtered.update();
    const before = filtered.lines;
    filtered.update();
    expect(filtered.lines).toBe(before);
    logs.add(
      Array.from({ length: 100 }, (_, at) => line({ seq: LINE_LIMIT + at })),
      1,
    );
    filtered.update();
    expect(filtered.lines[0]?.seq).toBe(100);
    expect(filtered.lines.length).toBe(LINE_LIMIT / 2);
    expect(filtered.gone).toBe(50);
    logs.clear();
    filtered.update();
    expect(filtered.lines).toEqual([]);
  });
});

describe('volume', () => {
  it('counts each line once, in bars of one round length', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            time: fc.integer({ min: 1.7e12, max: 1.7e12 + 4e7 }),
            level: fc.constantFrom('INFO', 'WARNING', 'ERROR', 'CRITICAL' as const),
          }),
          { minLength: 1 },
        ),
        (lines) => {
          const bars = volumeOf(lines as never, 90);
          expect(bars.length).toBeLessThanOrEqual(90);
          expect(bars.reduce((sum, { errors, warnings, others }) => sum + errors + warnings + others, 0)).toBe(
            lines.length,
          );
          expect(bars[0]?.from).toBeLessThanOrEqual(Math.min(...lines.map(({ time }) => time)));
          expect(new Set(bars.map(({ from, to }) => to - from)).size).toBe(1);
        },
      ),
    );
    expect(volumeOf([], 90)).toEqual([]);
  });

  it('of weeks shows the newest of them', () => {
    const bars = volumeOf([line({ seq: 1, time: 0 }), line({ seq: 2, time: 1.8e12 })], 90);
    expect(bars.length).toBe(90);
    expect(bars.at(-1)?.others).toBe(1);
  });
});
