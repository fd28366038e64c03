import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';

/** Browsers that know `light-dark()` and nested rules: since May 2024. */
const TARGET = ['chrome123', 'edge123', 'firefox120', 'safari17.5'];
const REFERENCE = /(src|href)="([\w-]+\.(?:ts|css|svg))"/g;

/**
 * Builds a package's page, where it has one: `page/index.html` and what that names beside itself go to `page/` in
 * `dist`, each file by a name that holds its content's hash, so that it may be kept for ever.
 * @param {string} folder the package
 * @param {string} dist
 */
export async function buildPage(folder, dist) {
  const source = join(folder, 'page');
  const html = join(source, 'index.html');
  if (!existsSync(html)) return;
  const text = readFileSync(html, 'utf8');
  const names = [...new Set([...text.matchAll(REFERENCE)].map(([, , name = '']) => name))];
  const assets = new Map();
  mkdirSync(join(dist, 'page/assets'), { recursive: true });
  for (const name of names) {
    const { content, extension } = await compile(source, name);
    const hash = createHash('sha256').update(content).digest('hex').slice(0, 10);
    const asset = `${basename(name, extname(name))}-${hash}${extension}`;
    writeFileSync(join(dist, 'page/assets', asset), content);
    assets.set(name, `/assets/${asset}`);
  }
  const linked = text.replace(REFERENCE, (_, attribute, name) => `${attribute}="${assets.get(name)}"`);
  writeFileSync(join(dist, 'page/index.html'), linked.replaceAll(/\n\s+/g, '\n'));
}

/**
 * @param {string} source
 * @param {string} name
 * @returns {Promise<{ content: string | Uint8Array, extension: string }>}
 */
async function compile(source, name) {
  const path = join(source, name);
  if (name.endsWith('.svg')) return { content: readFileSync(path), extension: '.svg' };
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: [path],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: TARGET,
    // A package for Node.js alone in a page is a mistake.
    packages: 'bundle',
    charset: 'utf8',
    legalComments: 'none',
    write: false,
    logLevel: 'error',
  });
  const [output] = outputFiles;
  if (output === undefined) throw new Error(`${name} gave no file`);
  return { content: output.contents, extension: name.endsWith('.css') ? '.css' : '.js' };
}
