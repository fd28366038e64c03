import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bucketSets, definitions } from '../../packages/binnacle/src/catalogue.ts';
import { processDefinitions } from '../../packages/binnacle/src/catalogue-process.ts';
import { referencePages } from '../../scripts/docs/reference.ts';
import { ROOT } from './sources.ts';

const pages = referencePages();

test.each([...pages])('%s is what `npm run docs` writes', (path, text) => {
  expect(readFileSync(join(ROOT, path), 'utf8')).toBe(text);
});

test('docs/reference holds nothing else', () => {
  expect(readdirSync(join(ROOT, 'docs/reference')).map((name) => `docs/reference/${name}`)).toEqual(
    [...pages.keys()].sort(),
  );
});

test('every metric of the catalogue has its row, once', () => {
  const rows = pages.get('docs/reference/metrics.md')?.split('\n') ?? [];
  for (const { name } of [...Object.values(definitions), ...Object.values(processDefinitions)])
    expect(
      rows.filter((row) => row.startsWith(`| \`${name}\``)),
      name,
    ).toHaveLength(1);
  for (const set of Object.keys(bucketSets))
    expect(
      rows.some((row) => row.includes(`(#buckets-${set})`)),
      set,
    ).toBe(true);
});
