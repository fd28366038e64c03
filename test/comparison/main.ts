// `npm run comparison`: asks both services, and writes their answers into README.md and docs/comparison.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { withSection } from '../../scripts/docs/section.ts';
import { prepareComparison } from './prepare.ts';
import { compare, longTable, shortTable } from './table.ts';

const pathOf = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const write = (name: string, text: string): void =>
  writeFileSync(pathOf(name), withSection(readFileSync(pathOf(name), 'utf8'), 'comparison', text));

const missing = await prepareComparison();
if (missing !== undefined) throw new Error(missing);
const found = await compare();
write('README.md', shortTable(found));
write('docs/comparison.md', longTable(found));
process.stdout.write(`${shortTable(found)}\n`);
