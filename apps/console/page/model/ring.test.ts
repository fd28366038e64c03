import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ring } from './ring.ts';

describe('a ring', () => {
  it('holds what an array of the newest would hold, by number, whatever comes', () => {
    const step = fc.oneof(fc.record({ size: fc.integer({ min: 0, max: 40 }) }), fc.constant('clear' as const));
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 60 }),
        fc.array(step, { maxLength: 60 }),
        (limit, sizeLimit, steps) => {
          const ring = new Ring<number>(limit, sizeLimit);
          let model: { number: number; size: number }[] = [];
          let next = 0;
          const gone: number[] = [];
          for (const one of steps) {
            if (one === 'clear') {
              ring.clear();
              model = [];
              continue;
            }
            const before = model.map(({ number }) => number);
            ring.push(next, one.size, (item) => gone.push(item));
            model.push({ number: next, size: one.size });
            const sum = (): number => model.reduce((all, { size }) => all + size, 0);
            while (model.length > limit || (model.length > 1 && sum() > sizeLimit)) model.shift();
            const left = before.filter((number) => !model.some((other) => other.number === number));
            expect(gone.splice(0)).toEqual(left);
            next += 1;
          }
          const numbers = model.map(({ number }) => number);
          expect([...ring]).toEqual(numbers);
          expect([...ring.backwards()]).toEqual(numbers.toReversed());
          expect(ring.length).toBe(numbers.length);
          expect(ring.size).toBe(model.reduce((all, { size }) => all + size, 0));
          expect(ring.last()).toBe(numbers.at(-1));
          for (const number of numbers) expect(ring.at(number)).toBe(number);
          expect(ring.at(ring.first - 1)).toBeUndefined();
          expect(ring.at(ring.next)).toBeUndefined();
        },
      ),
    );
  });
});
