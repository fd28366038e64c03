/** The table of README.md and docs/comparison.md, against both services as they run here and now. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { sectionIn } from '../../scripts/docs/section.ts';
import { ROOT } from '../docs/sources.ts';
import { prepareComparison } from './prepare.ts';
import { ROWS } from './rows.ts';
import { STOPPED } from './shutdown.ts';
import { compare, type Found, longTable, shortTable } from './table.ts';

const printed = (path: string): string => sectionIn(readFileSync(join(ROOT, path), 'utf8'), 'comparison');
const WHATS = [...ROWS.map(({ what }) => what), ...Object.values(STOPPED).map(([what]) => what)];
/** Where a busy machine may take its time. */
const LONGEST_MS = 150_000;

const missing = await prepareComparison();
describe.skipIf(missing !== undefined)(`the comparison${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  let found: readonly Found[] = [];
  beforeAll(async () => {
    found = await compare();
  }, LONGEST_MS);

  test.each(WHATS)('%s: as it is printed', (what) => {
    const row = found.find((one) => one.what === what);
    expect(printed('docs/comparison.md')).toContain(`\n| ${what} | ${row?.usual} | ${row?.binnacle} |\n`);
  });

  test('README.md has the rows in which the two differ, and no other', () => {
    expect(printed('README.md')).toBe(shortTable(found));
  });

  test('docs/comparison.md has all, and how each is found out', () => {
    expect(printed('docs/comparison.md')).toBe(longTable(found));
  });
});
