import { describe, expect, test } from 'vitest';
import { loadBench, type Result, resultOf } from './modules.ts';

const { toPlot } = await loadBench<{ toPlot(results: readonly Result[], note: string): string }>('plot.mjs');

const RESULTS = [
  resultOf('bare', 'cpuUs', [10, 10, 10]),
  resultOf('log', 'cpuUs', [17, 18, 16]),
  resultOf('usual', 'cpuUs', [60, 62, 64]),
  resultOf('binnacle', 'cpuUs', [11, 12, 13]),
];

/** Elements by name, with their attributes; throws where one is not closed in its place. */
function elementsOf(svg: string): { name: string; attributes: Record<string, string> }[] {
  const open: string[] = [];
  const found = [...svg.matchAll(/<(\/?)([a-z]+)((?:\s[\w:-]+="[^"<>]*")*)\s*(\/?)>/g)];
  if (svg.replace(/<[^<>]*>/g, '').match(/[<>]/)) throw new Error('a bracket outside of a tag');
  if (found.length !== (svg.match(/</g) ?? []).length) throw new Error('a tag that cannot be read');
  const elements = found.flatMap(([, end, name = '', attributes = '', alone]) => {
    if (end === '/') {
      if (open.pop() !== name) throw new Error(`</${name}> out of place`);
      return [];
    }
    if (alone !== '/') open.push(name);
    return [
      {
        name,
        attributes: Object.fromEntries(
          [...attributes.matchAll(/([\w:-]+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
        ),
      },
    ];
  });
  if (open.length > 0) throw new Error(`<${open.at(-1)}> is not closed`);
  return elements as { name: string; attributes: Record<string, string> }[];
}

const barsOf = (svg: string): number[] =>
  elementsOf(svg)
    .filter(({ name, attributes }) => name === 'rect' && attributes.rx === '3')
    .map(({ attributes }) => Number(attributes.width));

describe('the plot', () => {
  test('is well formed, whatever the note holds', () => {
    expect(() => elementsOf(toPlot(RESULTS, 'A <machine> & "more"'))).not.toThrow();
    expect(toPlot(RESULTS, 'A <machine> & "more"')).toContain('A &lt;machine&gt; &amp; &quot;more&quot;');
  });

  test('has bars as long as their medians, Binnacle first', () => {
    const [binnacle, log, usual] = barsOf(toPlot(RESULTS, ''));
    expect((log as number) / (binnacle as number)).toBeCloseTo(1.7 / 1.2, 1);
    expect((usual as number) / (binnacle as number)).toBeCloseTo(6.2 / 1.2, 1);
  });

  test('stays within its frame', () => {
    const svg = toPlot([...RESULTS, resultOf('python', 'perSecond', [900])], 'a note');
    const [, , width, height] = (/viewBox="([^"]+)"/.exec(svg)?.[1] ?? '').split(' ').map(Number);
    for (const { attributes } of elementsOf(svg)) {
      for (const key of ['x', 'x1', 'x2'])
        if (key in attributes) expect(Number(attributes[key])).toBeLessThan(width as number);
      for (const key of ['y', 'y1', 'y2'])
        if (key in attributes) expect(Number(attributes[key])).toBeLessThan(height as number);
    }
  });

  test('leaves out what was not measured, and what did not deliver', () => {
    const invalid = { ...resultOf('hand', 'cpuUs', [20, 20, 20]), problems: ['0 spans of 100 requests'] };
    const svg = toPlot([...RESULTS, invalid], '');
    expect(svg).not.toContain('hand-tuned');
    expect(svg).not.toContain('FastAPI');
    expect(svg).not.toContain('session of fit-check');
    expect(svg).not.toContain('NaN');
  });

  test('says its figures to those who do not see it', () => {
    expect(toPlot(RESULTS, '')).toMatch(/role="img" aria-label="CPU a request, to bare Fastify: Binnacle 1\.20, /);
  });
});
