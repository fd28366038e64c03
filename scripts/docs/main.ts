// `npm run docs`: writes docs/reference/ from the code, and site/ from all pages and the docstrings.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ensureBuilt } from '../build.mjs';
import { ROOT } from '../root.mjs';
import { runScript, say } from '../step.mjs';
import { referencePages } from './reference.ts';
import { writeSite } from './site.ts';

await runScript(async () => {
  await ensureBuilt();
  const pages = referencePages();
  for (const [path, text] of pages) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true });
    writeFileSync(join(ROOT, path), text);
  }
  const files = writeSite(ROOT, join(ROOT, 'site'));
  say(`Wrote ${pages.size} pages of docs/reference, and site/ (${files} files)`);
});
