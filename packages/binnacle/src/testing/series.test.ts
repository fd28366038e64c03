import { describe, expect, test } from 'vitest';
import { valueIn } from './series.ts';

const SCRAPE = `# HELP jobs_total Jobs.
# TYPE jobs_total counter
jobs_total{queue="a",state="done"} 3
jobs_total{queue="a \\"b\\" {c}, \\\\",state="x=\\"y\\""} 4
jobs_total_more 5
depth 0
time_seconds_bucket{le="+Inf"} 7
limit +Inf
least -Inf
none NaN
`;

describe("a series' value", () => {
  test.each([
    ['jobs_total{queue="a",state="done"}', 3],
    ['jobs_total{state="done",queue="a"}', 3],
    [' jobs_total{ state="done", queue="a", } ', 3],
    ['jobs_total{queue="a \\"b\\" {c}, \\\\",state="x=\\"y\\""}', 4],
    ['depth', 0],
    ['depth{}', 0],
    ['time_seconds_bucket{le="+Inf"}', 7],
    ['limit', Number.POSITIVE_INFINITY],
    ['least', Number.NEGATIVE_INFINITY],
    ['none', Number.NaN],
  ])('%s is found', (series, value) => expect(valueIn(SCRAPE, series)).toBe(value));

  test.each([
    'jobs_total',
    'jobs_total{queue="a"}',
    'jobs_total{queue="b",state="done"}',
    'jobs_total{queue="a",state="done",more="c"}',
    'jobs',
    'HELP',
  ])('%s is none', (series) => expect(valueIn(SCRAPE, series)).toBeUndefined());

  test.each([
    '',
    'jobs_total{queue=a}',
    'jobs_total{queue="a"',
    'jobs_total{queue="a"} 3 4',
    '{queue="a"}',
    'a b',
    '9a',
  ])('%j is no series: it throws', (series) => expect(() => valueIn(SCRAPE, series)).toThrow(TypeError));
});
