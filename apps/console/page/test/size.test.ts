/** What a browser loads, as it was built. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BUILT } from './feeder.ts';

const SERVED = fileURLToPath(new URL('../../../../packages/binnacle/dist/console/', import.meta.url));
const PAGE = fileURLToPath(new URL('../', import.meta.url));
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== '.build-stamp')
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length))
    .sort();

describe('the page as it is built', () => {
  it('is at most 120 kB, gzipped, all of its files together', () => {
    const sizes = filesIn(BUILT).map((name) => gzipSync(readFileSync(join(BUILT, name)), { level: 9 }).length);
    expect(sizes.length).toBeGreaterThan(3);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(120_000);
  });

  it('has names that change with their content, and nothing that a strict policy refuses', () => {
    const names = filesIn(BUILT).filter((name) => !['index.html', 'licenses.txt'].includes(name));
    for (const name of names) expect(name).toMatch(/^assets\/[\w-]+-[\w-]{8,}\.(js|css|svg|woff2)$/);
    const html = readFileSync(join(BUILT, 'index.html'), 'utf8');
    expect(html).not.toMatch(/\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)/);
    // All of it is beside the page, below whatever path that is.
    for (const [, address = ''] of html.matchAll(/(?:src|href)="([^"]*)"/g)) expect(address).toMatch(/^\.\/assets\//);
    const scripts = names.filter((name) => name.endsWith('.js')).map((name) => readFileSync(join(BUILT, name), 'utf8'));
    for (const script of scripts) expect(script).not.toMatch(/\beval\(|new Function\(|https?:\/\/(?!www\.w3\.org\/)/);
  });

  it('is written without markup made of text', () => {
    const sources = filesIn(PAGE).filter((name) => /\.tsx?$/.test(name) && !/\.test\.ts$|^test\//.test(name));
    expect(sources.length).toBeGreaterThan(40);
    for (const name of sources) {
      const text = readFileSync(join(PAGE, name), 'utf8');
      expect(text, name).not.toMatch(
        /innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|setAttribute\('style/i,
      );
    }
  });

  it('names the licences of what it is made of', () => {
    const text = readFileSync(join(BUILT, 'licenses.txt'), 'utf8');
    for (const word of ['preact', 'uPlot', 'Geist', 'MIT', 'SIL OPEN FONT LICENSE'])
      expect(text.toUpperCase()).toContain(word.toUpperCase());
  });

  it('is in the library as it is', () => {
    // The room of the server has its declarations in a folder of the same name.
    expect(filesIn(SERVED).filter((name) => !name.endsWith('.d.ts'))).toEqual(filesIn(BUILT));
  });
});
