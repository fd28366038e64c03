// `npm run docs`: writes docs/reference/ from the code, the first page's figures from the bench's reports, and site/ from
// all pages and the docstrings.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ensureBuilt } from '../build.mjs';
import { ROOT } from '../root.mjs';
import { runScript, say } from '../step.mjs';
import { figuresOf } from './figures.ts';
import { referencePages } from './reference.ts';
import { withSection } from './section.ts';
import { writeSite } from './site.ts';

await runScript(async () => {
  await ensureBuilt();
  const pages = referencePages();
  for (const [path, text] of pages) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true });
    writeFileSync(join(ROOT, path), text);
  }
  const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
  const figures = figuresOf({ results: read('bench/results.md'), size: read('bench/size.md') });
  writeFileSync(join(ROOT, 'README.md'), withSection(read('README.md'), 'figures', figures));
  const files = writeSite(ROOT, join(ROOT, 'site'));
  say(`Wrote ${pages.size} pages of docs/reference, the figures of README.md, and site/ (${files} files)`);
});
