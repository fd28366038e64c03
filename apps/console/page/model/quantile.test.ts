import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { increase, quantile, quantileOf } from './quantile.ts';

describe('histogram_quantile', () => {
  it('gives what Prometheus gives', () => {
    // Of https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile: linear within a bucket.
    const bounds = [0.1, 0.5, 1];
    expect(quantile(0.5, bounds, [10, 20, 30, 40])).toBeCloseTo(0.5, 9);
    expect(quantile(0.25, bounds, [10, 20, 30, 40])).toBeCloseTo(0.1, 9);
    expect(quantile(0.125, bounds, [10, 20, 30, 40])).toBeCloseTo(0.05, 9);
    expect(quantile(0.7, bounds, [10, 20, 30, 40])).toBeCloseTo(0.9, 9);
    // Above the last bound there is no more to say than that bound.
    expect(quantile(0.99, bounds, [10, 20, 30, 40])).toBe(1);
  });

  it('has nothing to say of nothing, and bears what cannot be', () => {
    expect(quantile(0.5, [1, 2], [0, 0, 0])).toBeNaN();
    expect(quantile(0.5, [], [5])).toBeNaN();
    expect(quantile(0.5, [1, 2], [])).toBeNaN();
    expect(quantile(0, [-5, 0, 5], [0, 10, 10, 10])).toBeLessThanOrEqual(0);
    // Buckets read at two moments.
    expect(quantile(0.9, [1, 2, 3], [5, 4, 9, 9])).toBeGreaterThan(1);
  });

  it('is never below a lower quantile, and within a bucket of the true one', () => {
    const bounds = [0.1, 0.5, 1, 5, 10];
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 12, noNaN: true }), { minLength: 1, maxLength: 60 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, q) => {
          const cumulative = [...bounds.map((bound) => values.filter((value) => value <= bound).length), values.length];
          const found = quantile(q, bounds, cumulative);
          expect(found).toBeLessThanOrEqual(quantile(Math.min(1, q + 0.1), bounds, cumulative) + 1e-9);
          const real = quantileOf(q, values);
          const upper = bounds.find((bound) => real <= bound) ?? 10;
          const lower = bounds[bounds.indexOf(upper) - 1] ?? 0;
          if (real <= 10) {
            expect(found).toBeLessThanOrEqual(upper + 1e-9);
            expect(found).toBeGreaterThanOrEqual(lower - 1e-9);
          }
        },
      ),
    );
  });
});

describe('an increase', () => {
  it('takes a fall for a counter that began again', () => {
    expect(increase([5, 7, 7, 10])).toBe(5);
    expect(increase([5, 7, 2, 4])).toBe(6);
    expect(increase([5])).toBe(0);
  });

  it('is the sum of what was counted, whenever the process began again', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ by: fc.integer({ min: 1, max: 100 }), again: fc.boolean() }), { maxLength: 30 }),
        (steps) => {
          let counter = 0;
          const seen = [0];
          let sum = 0;
          for (const { by, again } of steps) {
            if (again) counter = 0;
            counter += by;
            // A counter that begins again and is above where it was before it is looked at cannot be told from one that ran on.
            if (again && counter >= (seen.at(-1) as number)) counter = seen.at(-1) as number;
            const before = seen.at(-1) as number;
            sum += counter >= before ? counter - before : counter;
            seen.push(counter);
          }
          expect(increase(seen)).toBe(sum);
        },
      ),
    );
  });
});
