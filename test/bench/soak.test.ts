import { describe, expect, test } from 'vitest';
import { loadBench } from './modules.ts';

interface Frames {
  readonly view: string;
  readonly dropped: number;
  readonly longestMs: number;
  readonly p50Ms: number;
}
interface Mark {
  readonly name: string;
  readonly atSeconds: number;
  readonly heapMiB: number;
  readonly nodes: number;
  readonly views: readonly Frames[];
}
interface Soak {
  readonly minutes: number;
  readonly perSecond: number;
  readonly machine: string;
  readonly off: readonly object[];
  readonly on: object;
  readonly marks: readonly Mark[];
  readonly troubles: readonly string[];
}
const { toSoakReport, isWithinBounds } = await loadBench<{
  toSoakReport(soak: Soak): string;
  isWithinBounds(soak: Soak): boolean;
}>('soak-report.mjs');
const { toFrames } = await loadBench<{ toFrames(view: string, times: readonly number[]): Frames }>('soak-page.mjs');

const soakOf = (full: number, end: number, troubles: string[] = []): Soak => ({
  minutes: 10,
  perSecond: 500,
  machine: 'a machine',
  off: [100, 110].map((cpuUs) => ({ cpuUs, p50Ms: 1, p99Ms: 2, rssMiB: 90, perSecond: 500 })),
  on: { cpuUs: 147, p50Ms: 1, p99Ms: 3, rssMiB: 140, perSecond: 499.8 },
  marks: [
    { name: 'full', atSeconds: 120, heapMiB: full, nodes: 900, views: [toFrames('Live', [16, 17, 16, 50])] },
    { name: 'end', atSeconds: 552, heapMiB: end, nodes: 950, views: [toFrames('Live', [16, 17, 16, 17])] },
  ],
  troubles,
});

test('frames that did not come in time are counted', () => {
  expect(toFrames('Live', [16, 17, 50, 34])).toMatchObject({ longestMs: 50, p50Ms: 17, dropped: 3 / 7 });
  expect(toFrames('Live', [16, 17, 17])).toMatchObject({ dropped: 0 });
});

describe('the report', () => {
  test('says the ratio to a console that is off, and how the page grew', () => {
    const report = toSoakReport(soakOf(40, 44));
    expect(report).toContain('| console on, the page open | 500 | 147.0 | 1.40 | 1.00 | 3.00 | 140 |');
    expect(report).toContain('| full | Live | 16.0 | 50.0 | 50.0 | 50.0 | 33.3% |');
    expect(report).toContain('**1.10** times');
    expect(report).toContain(': met. No error in the page.');
  });

  test('of a run in which the rings were still filling says nothing of growth', () => {
    const short = soakOf(40, 80);
    const early = { ...short, marks: short.marks.map((mark) => ({ ...mark, atSeconds: mark.atSeconds / 20 })) };
    expect(isWithinBounds(early)).toBe(true);
    expect(toSoakReport(early)).toContain('**too short to tell**');
  });

  test('tells a page that grows without end, or that failed', () => {
    expect([isWithinBounds(soakOf(40, 50)), isWithinBounds(soakOf(40, 51))]).toEqual([true, false]);
    expect(toSoakReport(soakOf(40, 80))).toContain('**not met**');
    expect(isWithinBounds(soakOf(40, 41, ['TypeError: no']))).toBe(false);
    expect(toSoakReport(soakOf(40, 41, ['TypeError: no']))).toContain('**Errors in the page:** TypeError: no');
  });
});
