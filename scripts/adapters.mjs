// `npm run adapters`: runs the behaviour suite over all adapters, and writes its table into docs/adapters.md.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './root.mjs';
import { runNode } from './run.mjs';
import { isMain, runScript, StepFailed, say } from './step.mjs';
import { testEnvironment } from './test-environment.mjs';

/** @typedef {{ adapter: string, column: Record<string, string> }} Column */

/** In the order of the table. */
const ADAPTERS = ['node:http', 'Fastify', 'Express 5', 'Express 4', 'Hono', 'NestJS on Express', 'NestJS on Fastify'];
const TESTS = 'packages/binnacle/test';
const PAGE = 'docs/adapters.md';
const [BEGIN, END] = ['<!-- table: npm run adapters -->', '<!-- /table -->'];

/** @param {string} [root] */
export async function writeTable(root = ROOT) {
  const folder = mkdtempSync(join(tmpdir(), 'binnacle-adapters-'));
  try {
    const files = ['node', 'fastify', 'express', 'hono', 'nest'].map((name) => `${TESTS}/${name}.test.ts`);
    const { status } = await runNode([join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...files], {
      cwd: root,
      env: { ...testEnvironment(process.env), ADAPTERS_TABLE: folder },
      show: 'all',
    });
    if (status !== 0) throw new StepFailed('The table is left as it was: mend what fails above first.');
    const columns = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
    const path = join(root, PAGE);
    writeFileSync(path, withTable(readFileSync(path, 'utf8'), tableOf(columns)));
    say(`Wrote ${PAGE}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {readonly Column[]} columns */
function tableOf(columns) {
  const sorted = ADAPTERS.map((name) => {
    const found = columns.find(({ adapter }) => adapter === name);
    if (found === undefined) throw new StepFailed(`The suite told nothing of ${name}.`);
    return found;
  });
  if (columns.length > sorted.length) throw new StepFailed('Name the new adapter in scripts/adapters.mjs.');
  const rows = Object.keys(sorted[0]?.column ?? {});
  const cells = [
    ['', ...ADAPTERS],
    ['---', ...ADAPTERS.map(() => ':---:')],
    ...rows.map((row) => [row, ...sorted.map(({ column }) => column[row] ?? '')]),
  ];
  return cells.map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/**
 * @param {string} page
 * @param {string} table
 */
function withTable(page, table) {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new StepFailed(`${PAGE} has no place for the table: ${BEGIN} … ${END}`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${table}\n\n${page.slice(end)}`;
}

if (isMain(import.meta.url)) await runScript(() => writeTable());
