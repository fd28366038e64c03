import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { apiOf, declarationsOf } from '../../scripts/docs/api.ts';
import { render } from '../../scripts/docs/html.ts';
import { makeSite, type Site } from '../../scripts/docs/site.ts';
import { loadScript } from '../scripts/module.ts';
import { ROOT } from './sources.ts';

let site: Site;
beforeAll(async () => {
  await (await loadScript<{ ensureBuilt(): Promise<unknown> }>('build.mjs')).ensureBuilt();
  site = makeSite(ROOT);
}, 120_000);

describe('the site', () => {
  test('has no link to nowhere, in the repository or in itself', () => {
    expect(site.dead).toEqual([]);
    for (const [path, html] of site.files) {
      for (const [, href = ''] of html.matchAll(/(?:href|src)="([^"]+)"/g)) {
        if (/^(https?|mailto):/.test(href)) continue;
        const [file = '', anchor = ''] = href.split('#');
        const target = file === '' ? path : join(path, '..', file);
        const text = site.files.get(target);
        expect(text !== undefined || site.copied.has(target), `${path}: ${href}`).toBe(true);
        if (anchor !== '') expect(text, `${path}: ${href}`).toContain(`id="${anchor}"`);
      }
    }
  });

  test('asks nothing of others: no script, no resource from elsewhere', () => {
    for (const [path, html] of site.files) {
      expect(html, path).not.toMatch(/<(?:script|iframe|link|img)\b[^>]*(?:https?:)?\/\//);
      expect(html, path).not.toMatch(/@import|url\(/);
      expect(html, path).not.toContain('<script');
    }
  });

  test('has a title of its own, a heading and the navigation on each page', () => {
    const pages = [...site.files].filter(([path]) => path.endsWith('.html'));
    const titles = pages.map(([, html]) => /<title>(.*)<\/title>/.exec(html)?.[1]);
    expect(new Set(titles).size).toBe(pages.length);
    for (const [path, html] of pages) {
      expect(html.match(/<h1\b/g), path).toHaveLength(1);
      expect(html.match(/aria-current="page"/g), path).toHaveLength(1);
      expect(html.match(/<li><a href=/g)?.length, path).toBeGreaterThanOrEqual(pages.length);
    }
  });

  test('tells of a link, an anchor and a file that are not there', () => {
    const folder = mkdtempSync(join(tmpdir(), 'binnacle-site-'));
    try {
      const isDeclared = (path: string): boolean => !/\.(?:js|map)$/.test(path);
      for (const path of ['packages/binnacle/package.json', 'packages/binnacle/dist'])
        cpSync(join(ROOT, path), join(folder, path), { recursive: true, filter: isDeclared });
      mkdirSync(join(folder, 'docs'));
      writeFileSync(join(folder, 'docs/a.md'), '# A\n\n## Part\n');
      writeFileSync(join(folder, 'docs/workers.md'), '# Workers\n');
      const links = ['docs/a.md', 'docs/a.md#part', 'docs/a.md#none', 'docs/b.md', '#here', '#top', 'docs', 'a.svg'];
      writeFileSync(join(folder, 'README.md'), `# Top\n\n${links.map((link) => `[x](${link})`).join(' ')}\n`);
      expect(makeSite(folder).dead).toEqual(
        ['docs/a.md#none', 'docs/b.md', '#here', 'docs', 'a.svg'].map((link) => `README.md: ${link}`),
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the API', () => {
  test('is all that test/exports.txt lists', () => {
    const listed = readFileSync(join(ROOT, 'packages/binnacle/test/exports.txt'), 'utf8');
    const ours = [...apiOf(ROOT)].map(([entry, all]) => `${entry}\n${all.map(({ name }) => `  ${name}\n`).join('')}`);
    expect(ours.join('')).toBe(listed.replaceAll(/: \w+$/gm, ''));
  });

  test('has the docstring and the whole signature of each', () => {
    const observe = apiOf(ROOT)
      .get('binnacle')
      ?.find(({ name }) => name === 'observe');
    expect(observe?.doc).toMatch(/^Observes a service[\s\S]*@example/);
    expect(observe?.signature).toBe('function observe(options: ObserveOptions): Observability;');
    const html = site.files.get('docs/reference/api.html');
    // Each name leads to its own section: none shares its anchor with another.
    expect(html).not.toMatch(/<h3 id="[^"]+-1"/);
    expect(html).toContain('function observe(options: ObserveOptions): Observability;');
  });

  test('knows where a declaration ends', () => {
    const files: Readonly<Record<string, string>> = {
      'a.d.ts': "export { B, type C as D } from './b.ts';\nexport declare const x: { a: ';'; };\n",
      'b.d.ts':
        '/** Of B; not { of. */\nexport interface B {\n    /** a } */\n    a(): void;\n}\nexport type C = {\n    a: 1;\n} | "}";\n',
    };
    const read = (file: string): string => files[file] ?? '';
    expect(declarationsOf('a.d.ts', read)).toEqual([
      { name: 'x', doc: '', signature: "const x: { a: ';'; };" },
      { name: 'B', doc: 'Of B; not { of.', signature: 'interface B {\n    /** a } */\n    a(): void;\n}' },
      { name: 'D', doc: '', signature: 'type C = {\n    a: 1;\n} | "}";' },
    ]);
  });
});

test('headings get the anchors that GitHub gives them', () => {
  const page = render("# It's `a.b`: c\n\n## Part\n\n## Part\n\n[x](y.md)", (link) => link);
  expect([...page.anchors]).toEqual(['its-ab-c', 'part', 'part-1']);
  expect(page).toMatchObject({ title: "It's a.b: c", links: ['y.md'] });
});
