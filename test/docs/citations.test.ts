/** Every test that the pages name is there, so that what they promise is held by something. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Citation, commentsOf, rowsOf, titlesOf } from './citations.ts';
import { guidePages, ROOT } from './sources.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Why a citation holds nothing; undefined where its test is there. */
function troubleOf({ file, title }: Citation): string | undefined {
  if (!/\.test\.ts$|\.chaos\.ts$|\/test\//.test(file)) return `${file} is no file of tests`;
  if (!existsSync(join(ROOT, file))) return `${file} is not there`;
  return titlesOf(read(file)).has(title) ? undefined : `${file} has no test "${title}"`;
}

describe('docs/seeds.md', () => {
  const rows = rowsOf(read('docs/seeds.md'));

  test('every row of docs/seeds.md names tests that are there', () => {
    expect(rows.length).toBeGreaterThan(100);
    const troubles = rows.flatMap(({ line, shownBy }) =>
      shownBy.flatMap((citation) => {
        const trouble = troubleOf(citation);
        return trouble === undefined ? [] : [`docs/seeds.md:${line}: ${trouble}`];
      }),
    );
    expect(troubles).toEqual([]);
  });

  test('every row names files that are there', () => {
    for (const { line, files } of rows) {
      expect(files, `docs/seeds.md:${line}`).not.toEqual([]);
      for (const file of files) expect(existsSync(join(ROOT, file)), `docs/seeds.md:${line}: ${file}`).toBe(true);
    }
  });

  test('nothing is asked twice in one table, and every table is read', () => {
    const tables = read('docs/seeds.md').split(/^#{2,3} /m);
    for (const table of tables) {
      const asked = rowsOf(table).map((row) => row.asked);
      expect(new Set(asked).size).toBe(asked.length);
    }
    expect(read('docs/seeds.md').match(/^\|---/gm)?.length).toBe(
      tables.filter((table) => rowsOf(table).length > 0).length,
    );
  });
});

test.each(guidePages())('what %s names in comments is there', (page) => {
  expect(commentsOf(read(page)).flatMap((citation) => troubleOf(citation) ?? [])).toEqual([]);
});

test('the answers that no block shows name a test', () => {
  const answers = read('docs/faq.md')
    .split(/^### /m)
    .slice(1)
    .map((text) => text.split(/^## /m)[0] ?? '');
  const bare = answers.filter((text) => commentsOf(text).length === 0 && !/^```(?:js|sh)$/m.test(text));
  // What is not there cannot be shown, and figures are measured elsewhere.
  expect(bare.map((text) => text.split('\n')[0])).toEqual(['Can I push metrics by OTLP?', 'What does it cost?']);
});

describe('reading', () => {
  test('finds the titles of tests, and of nothing else', () => {
    const source = [
      "test('a', () => {});",
      'it("b\'s", async () => {});',
      "describe.each([1])('c %s', () => {});",
      'test.skipIf(never)(\n  `d`,\n  () => {});',
      "it.skip('no', () => {});",
      "test.todo('no');",
      "// test('no', () => {});",
      "latest('no', 1);",
      "expect('no').toBe(1);",
    ].join('\n');
    expect([...titlesOf(source)]).toEqual(['a', "b's", 'c %s', 'd']);
  });

  test('finds rows and comments, and refuses a row without a test', () => {
    const head = 'x\n\n| asked | here | in | shown by |\n|---|---|---|---|\n';
    expect(rowsOf(`${head}| a \\| b | c | \`d\` \`e\` | \`f.test.ts\` g<br>\`h.test.ts\` i |\n\n| x | y |\n`)).toEqual([
      {
        line: 5,
        asked: 'a | b',
        files: ['d', 'e'],
        shownBy: [
          { file: 'f.test.ts', title: 'g' },
          { file: 'h.test.ts', title: 'i' },
        ],
      },
    ]);
    for (const cell of ['', '—', '`f.test.ts`']) expect(() => rowsOf(`${head}| a | b | \`c\` | ${cell} |`)).toThrow();
    expect(commentsOf('x <!-- shown by: `a.test.ts` b --> y')).toEqual([{ file: 'a.test.ts', title: 'b' }]);
    expect(troubleOf({ file: 'README.md', title: 'x' })).toMatch(/no file of tests/);
    expect(troubleOf({ file: 'test/docs/none.test.ts', title: 'x' })).toMatch(/not there/);
    expect(troubleOf({ file: 'test/docs/citations.test.ts', title: 'none' })).toMatch(/has no test/);
  });
});
