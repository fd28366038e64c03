/** What the pages run: commands, against the service that they start, and whole programs; with what they print. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../apps/fit-check/test/ports.ts';
import { loadScript } from '../scripts/module.ts';
import { isWhole } from './preludes.ts';
import { allBlocks, type Block, ROOT, RUN_WHOLE, sectionsOf, WALKED, within } from './sources.ts';
import { isAsPrinted, printedBelow, walk } from './walk.ts';

const run = promisify(execFile);
const hasCurl = await run('curl', ['--version']).then(
  () => true,
  () => false,
);
const sections = WALKED.flatMap((page) => sectionsOf(page, readFileSync(join(ROOT, page), 'utf8')));
const withCommands = sections.filter(({ blocks }) => blocks.some(({ language }) => language === 'sh'));
const blocks = allBlocks().filter(({ page }) => !RUN_WHOLE.includes(page));
const programs = blocks.filter(isWhole);

beforeAll(async () => {
  await (await loadScript<{ ensureBuilt(): Promise<unknown> }>('build.mjs')).ensureBuilt();
}, 300_000);

describe('a section with commands', () => {
  test.skipIf(!hasCurl).each(withCommands.map((section) => [`${section.page} “${section.title}”`, section] as const))(
    '%s does what it says',
    { timeout: 180_000 },
    async (_name, section) => {
      await walk(section);
    },
  );
});

/** Starts a program as a file of its own, on a port that is free, and gives what it prints. */
async function output({ code }: Block): Promise<string> {
  const port = await freePort();
  return within(async (folder) => {
    const file = join(folder, 'program.mjs');
    writeFileSync(file, code.replaceAll('3000', String(port)));
    // Settings of whoever runs the suite are not its own.
    const { stdout } = await run(process.execPath, [file], { env: { PATH: process.env.PATH }, timeout: 60_000 });
    return stdout;
  });
}

describe('a whole program', () => {
  test.each(programs.map((block) => [`${block.page}:${block.line}`, block] as const))(
    '%s prints what is below it',
    { timeout: 90_000 },
    async (_place, block) => {
      const printed = printedBelow(block, blocks) ?? '';
      const text = await output(block);
      expect(isAsPrinted(printed, text), `it printed:\n${text}`).toBe(true);
    },
  );
});

describe('blocks', () => {
  test('there are some of each', () => {
    expect(withCommands.length).toBeGreaterThan(5);
    expect(programs.length).toBeGreaterThan(4);
  });

  test('of output stand below what prints them', () => {
    for (const block of blocks.filter(({ page, language }) => WALKED.includes(page) && language === 'text')) {
      const before = blocks[blocks.indexOf(block) - 1];
      expect(before !== undefined && (before.language === 'sh' || isWhole(before)), `${block.page}:${block.line}`).toBe(
        true,
      );
    }
    for (const block of programs)
      expect(printedBelow(block, blocks), `${block.page}:${block.line} prints something`).toBeTruthy();
  });

  test('of lines of a log stand in a section that starts the service', () => {
    for (const block of blocks.filter(({ language }) => language === 'log')) {
      const started = withCommands.filter((section) => section.blocks.some(({ code }) => code.includes('npm start')));
      const lines = started.flatMap((section) => section.blocks.map(({ page, line }) => `${page}:${line}`));
      expect(lines).toContain(`${block.page}:${block.line}`);
    }
  });

  test('are compared whole: a gap stands for a part of one line, and nothing else for anything', () => {
    expect(isAsPrinted('{"a":…}\n2\n', '{"a":1,"b":2}\n2\n')).toBe(true);
    expect(isAsPrinted('{"a":…}', '{"b":1}')).toBe(false);
    expect(isAsPrinted('200', '503')).toBe(false);
    expect(isAsPrinted('a…', 'a\nb')).toBe(false);
    expect(isAsPrinted('1.5 (s)', '1x5 (s)')).toBe(false);
  });

  test('belong to the heading above them, of any level, and a line of code is no heading', () => {
    const text = '# A\n```sh\n# no\nb\n```\n## B\n### C\n```js\nc\n```\n';
    expect(sectionsOf('p', text).map(({ title, blocks: below }) => [title, below.map(({ code }) => code)])).toEqual([
      ['A', ['# no\nb\n']],
      ['B', []],
      ['C', ['c\n']],
    ]);
  });
});
