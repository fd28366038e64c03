import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startConsole, type TestConsole } from './testing-console.test-helper.ts';

const HTML = `<!doctype html><script src="/console/assets/app-1a2b.js"></script>${'<p></p>'.repeat(100)}`;
let folder: string;
let t: TestConsole;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'console-files-'));
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), HTML);
  writeFileSync(join(folder, 'assets/app-1a2b.js'), 'export {};');
  writeFileSync(join(folder, 'assets/look-3c4d.css'), 'a { color: red }'.repeat(200));
  writeFileSync(join(folder, 'icon.svg'), '<svg/>');
  writeFileSync(join(folder, 'server.d.ts'), 'export {};');
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => t.close());

describe('the page', () => {
  test('is at /console/, where /console leads, with what it was asked', async () => {
    t = await startConsole({ files: folder });
    const there = await t.ask('/console?view=logs&q=%2Fa');
    expect([there.status, there.headers.location, there.headers['cache-control']]).toEqual([
      307,
      '/console/?view=logs&q=%2Fa',
      'no-store',
    ]);
    expect((await t.ask('/console')).headers.location).toBe('/console/');
    const page = await t.ask('/console/?view=logs');
    expect([page.status, page.headers['content-type'], page.headers['cache-control']]).toEqual([
      200,
      'text/html; charset=utf-8',
      'no-cache',
    ]);
    expect(page.text).toBe(HTML);
  });

  test('has its files, each by its type, kept for good where its name holds its content', async () => {
    t = await startConsole({ files: folder });
    const look = async (name: string): Promise<unknown[]> => {
      const { status, headers } = await t.ask(`/console/${name}`);
      return [status, headers['content-type'], headers['cache-control']];
    };
    const forGood = 'public, max-age=31536000, immutable';
    expect(await look('assets/app-1a2b.js')).toEqual([200, 'text/javascript; charset=utf-8', forGood]);
    expect(await look('assets/look-3c4d.css')).toEqual([200, 'text/css; charset=utf-8', forGood]);
    expect(await look('icon.svg')).toEqual([200, 'image/svg+xml', 'no-cache']);
  });

  test('is packed where that helps and is taken, and told from what a browser has', async () => {
    t = await startConsole({ files: folder });
    const packed = await t.ask('/console/', { headers: { 'accept-encoding': 'br, gzip;q=0.8' } });
    expect([packed.headers['content-encoding'], packed.headers.vary]).toEqual(['gzip', 'accept-encoding']);
    expect(gunzipSync(packed.body).toString()).toBe(HTML);
    for (const refusal of ['identity', 'gzip;q=0', 'br']) {
      const plain = await t.ask('/console/', { headers: { 'accept-encoding': refusal } });
      expect([plain.headers['content-encoding'], plain.text], refusal).toEqual([undefined, HTML]);
    }
    const small = await t.ask('/console/icon.svg', { headers: { 'accept-encoding': 'gzip' } });
    expect([small.headers['content-encoding'], small.text]).toEqual([undefined, '<svg/>']);
    const etag = packed.headers.etag ?? '';
    const again = { 'accept-encoding': 'gzip', 'if-none-match': `"other", W/${etag}` };
    expect(await t.ask('/console/', { headers: again })).toMatchObject({ status: 304, text: '' });
    expect((await t.ask('/console/', { headers: { 'if-none-match': etag } })).status).toBe(200);
  });

  test('HEAD has no body, and the same length', async () => {
    t = await startConsole({ files: folder });
    const head = await t.ask('/console/', { method: 'HEAD' });
    expect([head.status, head.headers['content-length'], head.text]).toEqual([200, String(HTML.length), '']);
  });
});

test.each([
  '/console/none.js',
  '/console/server.d.ts',
  '/console/assets',
  '/console/assets/',
  '/console/assets/../../package.json',
  '/console/..%2f..%2fpackage.json',
  '/console/../package.json',
  '/console//etc/passwd',
  '/console/__proto__',
  '/console/constructor',
  '/console/api/',
  '/console/api/../index.html',
])('%s is nothing', async (path) => {
  t = await startConsole({ files: folder });
  const answer = await t.ask(path);
  expect([answer.status, JSON.parse(answer.text).error.code]).toEqual([404, 'not_found']);
});

test('without a build of the page that is said, and the rest works', async () => {
  t = await startConsole({ files: join(folder, 'assets') });
  const answer = await t.ask('/console/');
  expect([answer.status, JSON.parse(answer.text).error.code]).toEqual([503, 'no_page']);
  expect((await t.ask('/console/api/session')).status).toBe(200);
});
