/** site/: all pages of the repository and the API, as files that any web server or none can show. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { apiOf, apiPage } from './api.ts';
import { documentOf, type Place, type Rendered, render, STYLE } from './html.ts';
import { referencePages } from './reference.ts';

/** In the order of the navigation; further pages of docs/ follow the first. */
const FIRST = ['README.md', 'docs/getting-started.md', 'docs/how-to.md'];
const LAST = ['examples/README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md'];
const API = 'docs/reference/api.md';

export interface Site {
  /** Text by the file's path in the site. */
  readonly files: ReadonlyMap<string, string>;
  /** Files of the repository that pages link to or show, which are copied as they are. */
  readonly copied: ReadonlySet<string>;
  /** Links that lead nowhere, as `PAGE: LINK`. */
  readonly dead: readonly string[];
}

interface Page extends Place, Rendered {
  readonly source: string;
}

/** Puts the site together; the API from the library's declarations, which are there once it is built. */
export function makeSite(root: string): Site {
  const sources = sourcesOf(root);
  const pages = [...sources].map(([source, text]): Page => {
    const rendered = render(text, (link) => hrefOf(root, source, link, sources));
    return { ...rendered, source, path: sitePath(source) };
  });
  const files = new Map([['style.css', STYLE]]);
  for (const page of pages) files.set(page.path, documentOf(page, page.body, pages));
  const bySource = new Map(pages.map((page) => [page.source, page]));
  const links = pages.flatMap((page) => page.links.map((link) => ({ page, link })));
  const dead = links.filter(({ page, link }) => !leads(root, page, link, bySource));
  const copied = links
    .map(({ page, link }) => targetOf(page.source, link).file)
    .filter((file) => file !== undefined && !sources.has(file) && isFile(join(root, file)));
  return {
    files,
    copied: new Set(copied as string[]),
    dead: dead.map(({ page, link }) => `${page.source}: ${link}`),
  };
}

/** Writes it anew; gives the number of files. A dead link fails it, and leaves the old one. */
export function writeSite(root: string, folder: string): number {
  const { files, copied, dead } = makeSite(root);
  if (dead.length > 0) throw new Error(`links that lead nowhere:\n${dead.join('\n')}`);
  rmSync(folder, { recursive: true, force: true });
  for (const [path, text] of files) writeFileSync(placed(folder, path), text);
  for (const path of copied) copyFileSync(join(root, path), placed(folder, path));
  return files.size + copied.size;
}

function placed(folder: string, path: string): string {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  return join(folder, path);
}

/** The text of each page by its path in the repository; the reference as it should stand. */
function sourcesOf(root: string): ReadonlyMap<string, string> {
  const guides = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
  const paths = new Set([...FIRST, ...guides.sort().map((name) => `docs/${name}`)]);
  const text = (path: string): [string, string] => [path, readFileSync(join(root, path), 'utf8')];
  const there = (path: string): boolean => isFile(join(root, path));
  return new Map([
    ...[...paths].filter(there).map(text),
    ...referencePages(),
    [API, apiPage(apiOf(root))],
    ...LAST.filter(there).map(text),
  ]);
}

function sitePath(source: string): string {
  return source === 'README.md' ? 'index.html' : source.replace(/\.md$/, '.html');
}

interface Target {
  /** In the repository; undefined for what is elsewhere. */
  readonly file: string | undefined;
  readonly anchor: string;
}

function targetOf(source: string, link: string): Target {
  if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return { file: undefined, anchor: '' };
  const [path = '', anchor = ''] = link.split('#');
  return { file: path === '' ? source : posix.join(posix.dirname(source), path), anchor: decodeURIComponent(anchor) };
}

function hrefOf(root: string, source: string, link: string, sources: ReadonlyMap<string, string>): string {
  const { file, anchor } = targetOf(source, link);
  if (file === undefined) return link;
  const to = sources.has(file) ? sitePath(file) : isFile(join(root, file)) ? file : undefined;
  if (to === undefined) return link;
  return `${posix.relative(posix.dirname(sitePath(source)), to)}${anchor === '' ? '' : `#${anchor}`}`;
}

function leads(root: string, page: Page, link: string, pages: ReadonlyMap<string, Page>): boolean {
  const { file, anchor } = targetOf(page.source, link);
  if (file === undefined) return /^(https?|mailto):/i.test(link);
  const to = pages.get(file);
  if (to === undefined) return isFile(join(root, file)) && anchor === '';
  return anchor === '' || to.anchors.has(anchor);
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}
