/** The page as it is served: what may be kept, what it may do, what it weighs, and what is observed of it. */
import { request } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scrape } from './metrics.ts';
import { freePort } from './ports.ts';
import { type Service, startService } from './service.ts';
import { until } from './until.ts';

/** All that a browser loads, compressed, in bytes. */
const MOST_BYTES = 60_000;

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** As it is on the wire: nothing is decompressed or followed. */
function get(path: string, headers: Record<string, string> = {}, method = 'GET', base = service.url): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request(`${base}${path}`, { method, headers }, async (response) => {
      const parts: Buffer[] = [];
      for await (const part of response) parts.push(part as Buffer);
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) });
    })
      .once('error', reject)
      .end();
  });
}

const assetsOf = (html: string): string[] =>
  [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path as string);

describe('GET /', () => {
  it('is a page that may load nothing but this service’s own files', async () => {
    const { status, headers, body } = await get('/');
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      vary: 'accept-encoding',
    });
    const policy = new Map(
      String(headers['content-security-policy'])
        .split('; ')
        .map((rule) => [rule.split(' ')[0], rule]),
    );
    expect(policy.get('default-src')).toBe("default-src 'none'");
    expect(policy.get('frame-ancestors')).toBe("frame-ancestors 'none'");
    expect([...policy.values()].join(' ')).not.toMatch(/unsafe|\*|https?:|data:/);
    const html = body.toString();
    expect(html).not.toMatch(/<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|https?:\/\//);
    expect(
      assetsOf(html)
        .map((path) => path.replace(/-[0-9a-f]{10}\./, '.'))
        .sort(),
    ).toEqual(['/assets/icon.svg', '/assets/main.js', '/assets/style.css', '/assets/theme.js']);
  });

  it('is asked for again by its ETag, plain and compressed', async () => {
    const plain = await get('/');
    const zipped = await get('/', { 'accept-encoding': 'br, gzip' });
    expect(zipped.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding' });
    expect(gunzipSync(zipped.body)).toEqual(plain.body);
    expect(zipped.headers.etag).not.toBe(plain.headers.etag);
    for (const refusal of ['gzip;q=0', 'br', 'identity, gzip; q=0.0'])
      expect((await get('/', { 'accept-encoding': refusal })).headers['content-encoding']).toBeUndefined();
    const tag = String(plain.headers.etag);
    for (const known of [tag, `"other", W/${tag}`, '*']) {
      const again = await get('/', { 'if-none-match': known });
      expect(again.status).toBe(304);
      expect(again.body).toHaveLength(0);
      expect(again.headers.etag).toBe(tag);
    }
    expect((await get('/', { 'if-none-match': '"other"' })).status).toBe(200);
  });

  it('its files may be kept for ever, and have their types', async () => {
    for (const path of assetsOf((await get('/')).body.toString())) {
      const { status, headers, body } = await get(path);
      expect(status).toBe(200);
      expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['content-type']).toMatch(/^(text\/(javascript|css); charset=utf-8|image\/svg\+xml)$/);
      expect(headers['content-length']).toBe(String(body.length));
      const head = await get(path, {}, 'HEAD');
      expect(head).toMatchObject({
        status: 200,
        headers: { 'content-length': String(body.length), etag: headers.etag },
      });
    }
  });

  it(`weighs less than ${MOST_BYTES} bytes, all of it`, async () => {
    const gzip = { 'accept-encoding': 'gzip' };
    const page = await get('/', gzip);
    const files = await Promise.all(assetsOf(gunzipSync(page.body).toString()).map((path) => get(path, gzip)));
    const bytes = [page, ...files].reduce((sum, { body }) => sum + body.length, 0);
    expect(files).toHaveLength(4);
    expect(bytes).toBeLessThan(MOST_BYTES);
  });

  it.each([
    '/assets/none.js',
    '/assets/..%2fmain.js',
    '/assets/..%2f..%2fpackage.json',
    '/assets/__proto__',
    '/assets/',
    '/assets',
    '/index.html',
  ])('%s is not found, in the form of all errors', async (path) => {
    const { status, body } = await get(path);
    expect(status).toBe(404);
    expect(JSON.parse(body.toString())).toMatchObject({ error: { code: 'not_found' } });
  });

  it('takes no other method', async () => {
    const { status, headers } = await get('/', {}, 'POST');
    expect(status).toBe(405);
    expect(headers.allow).toBe('GET, HEAD');
  });

  it('is observed as any route: two names, however many files are asked for, and a closing line each', async () => {
    const own = await startService();
    try {
      const html = (await get('/', {}, 'GET', own.url)).body.toString();
      const paths = [...assetsOf(html), ...Array.from({ length: 20 }, (_, at) => `/assets/guess-${at}.js`)];
      for (const path of paths) await get(path, {}, 'GET', own.url);
      const samples = await until('all are counted', async () => {
        const found = await scrape(own.url);
        const count = (route: string, status: number): number | undefined =>
          found.get(
            `http_server_request_duration_seconds_count{http_request_method="GET",url_scheme="http",http_route="${route}",http_response_status_code="${status}"}`,
          );
        return count('/', 200) === 1 && count('/assets/:name', 200) === 4 && count('/assets/:name', 404) === 20
          ? found
          : undefined;
      });
      const routes = new Set([...samples.keys()].flatMap((series) => /http_route="([^"]*)"/.exec(series)?.[1] ?? []));
      expect([...routes].filter((route) => route.startsWith('/assets') || route === '/')).toEqual(
        expect.arrayContaining(['/', '/assets/:name']),
      );
      expect([...routes].filter((route) => route.includes('guess'))).toEqual([]);
      expect(samples.get('binnacle_series_folded_total{metric="http_server_request_duration_seconds"}') ?? 0).toBe(0);
      const lines = await until('each has its line', () => {
        const found = own.lines().filter(({ route }) => route === '/assets/:name');
        return found.length === 24 ? found : undefined;
      });
      expect(new Set(lines.map(({ message }) => message))).toEqual(new Set(['Request completed']));
    } finally {
      await own.stop();
    }
  });
});

describe('the links of the page', () => {
  const linksWith = async (env: Record<string, string>, probes?: string): Promise<string[]> => {
    const other = await startService(env, undefined, probes);
    try {
      const html = (await get('/', {}, 'GET', other.url)).body.toString();
      const links = [...html.matchAll(/<a href="([^"#]+)">/g)].map(([, href]) => href as string);
      for (const link of links) expect((await get(link, {}, 'GET', other.url)).status, link).toBe(200);
      return links;
    } finally {
      await other.stop();
    }
  };

  it('lead to what this service answers here, and to nothing else', async () => {
    expect(await linksWith({})).toEqual(['/console/', '/health', '/metrics']);
    expect(await linksWith({ ENVIRONMENT: 'production' })).toEqual(['/health', '/metrics']);
    expect(await linksWith({ CONSOLE_ENABLED: 'false', METRICS_TOKEN: 'secret-token' })).toEqual(['/health']);
    expect(await linksWith({ CONSOLE_ENABLED: 'false', METRICS_ENABLED: 'false' })).toEqual(['/health']);
    const management = await freePort();
    const links = await linksWith({ MANAGEMENT_PORT: String(management) }, `http://127.0.0.1:${management}`);
    expect(links).toEqual(['/api/fit-check/health']);
  });
});
