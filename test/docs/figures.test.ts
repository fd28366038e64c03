/** The figures of the first page, against the reports that they are taken from: nobody writes one by hand. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { figuresOf, tableUnder } from '../../scripts/docs/figures.ts';
import { sectionIn, withSection } from '../../scripts/docs/section.ts';
import { loadBench, type Result, type Run, slice, variantOf } from '../bench/modules.ts';
import { ROOT } from './sources.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const size = read('bench/size.md');

test('README.md has what `npm run docs` writes of bench/results.md and bench/size.md', () => {
  expect(sectionIn(read('README.md'), 'figures')).toBe(figuresOf({ results: read('bench/results.md'), size }).trim());
});

test('README.md has no figure of the bench outside of it', () => {
  const page = read('README.md');
  const [before = ''] = page.split('<!-- figures: begin -->');
  const [, after = ''] = page.split('<!-- figures: end -->');
  expect(`${before}${after}`).not.toMatch(/\d(?:\.\d+)? ?(?:times|µs|MiB|requests\/s)\b|\d+%/);
});

interface About {
  readonly machine: string;
  readonly minutes: number;
  readonly python: undefined;
  readonly budget: unknown;
}
const { toReport } = await loadBench<{ toReport(run: Run, options: object, about: About): string }>('report.mjs');
const { readBudget } = await loadBench<{ readBudget(): unknown }>('budget.mjs');
const { ALL } = await loadBench<{ ALL: readonly { id: string }[] }>('variants.mjs');
const { toPlot } = await loadBench<{ toPlot(results: readonly Result[], note: string): string }>('plot.mjs');

/** Bare is 10 µs, 1000 requests/s and 70 MiB; each further variant 1 µs more, 10 requests/s less, 5 MiB more. */
function runOf(busy: number): Run {
  const results = ALL.map(({ id }, at): Result => {
    const figures = { cpuUs: 10 + at, perSecond: 1000 - 10 * at, rssMiB: 70 + 5 * at, serverBusy: busy };
    return { variant: variantOf(id), slices: [slice(figures), slice(figures)], problems: [] };
  });
  const operation = (id: string): Run['operations'][number] => ({ id, title: id, unit: 'ms', own: [2], other: [8] });
  return {
    results,
    starts: ['bare', 'binnacle', 'usual'].map((id, at) => ({
      variant: variantOf(id),
      wallMs: [100 + 100 * at ** 2],
      cpuMs: [1],
    })),
    operations: ['counter-bound', 'histogram-bound', 'scrape-50000-hold', 'scrape-50000-cpu'].map(operation),
  };
}
const OPTIONS = { rounds: 2, seconds: 5, pacedSeconds: 2, warmUpSeconds: 1 };
const ABOUT: About = {
  machine: '2 processors; load average 0.1',
  minutes: 12,
  python: undefined,
  budget: readBudget(),
};
const results = toReport(runOf(0.99), OPTIONS, ABOUT);

describe('of a whole run', () => {
  const told = figuresOf({ results, size });
  const rows = told.split('\n').filter((line) => line.startsWith('| '));
  const rowOf = (begins: string): string[] =>
    (rows.find((row) => row.startsWith(`| ${begins}`)) ?? '').slice(2, -2).split(' | ');

  test.each([
    ['bare Fastify', 'bare', 0],
    ['**Binnacle**, every signal on', 'binnacle', 2],
    ['Binnacle, 10% of traces', 'binnacle-10', 2],
    ['the usual stack', 'usual', 2],
    ["the guide's Python stack", 'python', 2],
  ])('%s has its own CPU, requests and memory', (begins, id) => {
    const at = ALL.findIndex((one) => one.id === id);
    const [, cpu, perSecond, rss] = rowOf(begins);
    expect(cpu).toMatch(new RegExp(`^${((10 + at) / 10).toFixed(2).replace('.', '\\.')} \\(`));
    expect(perSecond).toMatch(new RegExp(`^${((1000 - 10 * at) / 1000).toFixed(2).replace('.', '\\.')} \\(`));
    expect(rss).toBe(String(70 + 5 * at));
  });

  test('what was promised is there as it was measured', () => {
    const promised = tableUnder(results, '## What was promised');
    const measured = promised.map((row) => row[3]);
    const found = rows.slice(rows.findIndex((row) => row.includes('median (least to greatest)')) + 2, -1);
    expect(found).toHaveLength(8);
    for (const row of found) expect(measured).toContain(row.slice(2, -2).split(' | ')[1]);
    expect(new Set(found.map((row) => row.split(' | ')[1])).size).toBeGreaterThan(5);
  });

  test('when, where and how it was measured is there, and nothing that is not in the reports', () => {
    expect(told).toMatch(/`npm run bench[^`]*`, \d{4}-\d\d-\d\d/);
    expect(told).toContain('Machine: 2 processors; load average 0.1.');
    const reports = `${results}${size}${new Date().toISOString()}`;
    // Figures that are measured have a point or a gap around them; names of ours have none.
    for (const [figure] of told.matchAll(/(?<![\w.,])\d+\.\d+(?![\w.])/g)) expect(reports).toContain(figure);
  });

  test('its plot is where the page shows it', () => {
    expect(told).toContain('(bench/results.svg)');
    expect(toPlot(runOf(0.99).results, 'note')).toContain('<svg');
  });
});

test('where other work took the processors the page says so too', () => {
  const crowded = toReport(runOf(0.5), OPTIONS, ABOUT);
  expect(figuresOf({ results: crowded, size })).toContain('**Other work took the processors meanwhile');
  expect(figuresOf({ results, size })).not.toContain('Other work');
});

test('a report that has changed is told, and not left out', () => {
  const changed = results.replace('| added CPU to', '| CPU added to');
  expect(() => figuresOf({ results: changed, size })).toThrow('no row "added CPU"');
  expect(() => figuresOf({ results: results.replace('- Machine:', '- On:'), size })).toThrow('which machine');
});

test('a report without what was promised gives no figure, and leads to itself', () => {
  const told = figuresOf({ results: '# What observing a request costs\n', size });
  expect(told).not.toMatch(/\d/);
  expect(told).toContain('(bench/results.md)');
});

test('the plot is there when the page shows it', () => {
  if (read('README.md').includes('bench/results.svg')) expect(existsSync(join(ROOT, 'bench/results.svg'))).toBe(true);
});

describe('a part of a page', () => {
  const page = 'a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb\n';
  test('is replaced, and nothing else', () => {
    expect(withSection(page, 'x', 'new\nlines\n')).toBe('a\n<!-- x: begin -->\nnew\nlines\n<!-- x: end -->\nb\n');
    expect(sectionIn(page, 'x')).toBe('old');
  });
  test('that is not there, or twice, is told', () => {
    for (const wrong of ['a', '<!-- x: begin -->', page + page, '<!-- x: end --><!-- x: begin -->'])
      expect(() => withSection(wrong, 'x', 'new')).toThrow('exactly one part');
  });
});
