/** Who is let in: over real sockets, since addresses and headers are what it goes by. */
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { createServer, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import { createHandClock } from '../testing/hand-clock.ts';
import { peerOf } from './attempts.ts';
import { isLoopback } from './guard.ts';
import { startConsole, type TestConsole } from './testing-console.test-helper.ts';

let t: TestConsole;
afterEach(() => t.close());

const SESSION = '/console/api/session';
const EVENTS = '/console/api/events';
const LOGIN = '/console/api/login';
const TOKEN = 'correct horse battery staple'.replaceAll(' ', '-');
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const login = (token: unknown, headers: Record<string, string> = {}) =>
  t.ask(LOGIN, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ token }),
  });
/** The cookie as a browser sends it back. */
const cookieOf = (header: string | undefined): string => header?.split(';')[0] ?? '';

describe('without a token', () => {
  test('this machine is answered, by its own names', async () => {
    t = await startConsole();
    for (const host of ['localhost', 'LOCALHOST:8000', '127.0.0.1', '127.0.0.1:65535', '[::1]', '[::1]:80']) {
      const answer = await t.ask(SESSION, { headers: { host } });
      expect([answer.status, answer.text], host).toEqual([200, '{"needsToken":false}']);
    }
  });

  test.each([
    ['another name, that DNS led here', { host: 'evil.example' }],
    ['a name that begins like ours', { host: 'localhost.evil.example' }],
    ['a name that ends like ours', { host: 'evil.localhost' }],
    ['an address of the network', { host: '192.168.0.7:8000' }],
    ['a proxy', { 'x-forwarded-for': '127.0.0.1' }],
    ['a proxy by the standard header', { forwarded: 'for=127.0.0.1' }],
    ['a proxy that tells the host alone', { 'x-forwarded-host': 'localhost' }],
    ['a proxy of another kind', { 'x-real-ip': '127.0.0.1' }],
  ])('%s: nothing is there', async (_, headers) => {
    t = await startConsole();
    for (const path of [SESSION, EVENTS, '/console', '/console/', '/console/assets/a.js', LOGIN]) {
      const answer = await t.ask(path, { headers: headers as Record<string, string> });
      expect([answer.status, JSON.parse(answer.text).error.code], path).toEqual([404, 'not_found']);
    }
  });

  test('a request that names nobody is told nothing', async () => {
    t = await startConsole();
    const socket = connect(Number(new URL(t.url).port), '127.0.0.1');
    socket.end(`GET ${SESSION} HTTP/1.0\r\n\r\n`);
    expect(await text(socket)).toMatch(/^HTTP\/1.1 404 /);
  });

  test('a peer without an address of this machine is told nothing, whatever it calls it', async () => {
    t = await startConsole();
    // As of a socket that a proxy reaches by its file.
    const path = join(mkdtempSync(join(tmpdir(), 'console-socket-')), 'socket');
    const server = createServer((req, res) => void t.console.answer(SESSION, req, res)).listen(path);
    await once(server, 'listening');
    const asked = request({ socketPath: path, path: SESSION, headers: { host: 'localhost' }, agent: false }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.resume();
    expect(answer.statusCode).toBe(404);
    server.close();
  });

  test('a page of another site reads nothing', async () => {
    t = await startConsole();
    for (const site of ['cross-site', 'same-site'])
      expect((await t.ask(EVENTS, { headers: { 'sec-fetch-site': site } })).status).toBe(403);
    expect((await t.ask(SESSION, { headers: { 'sec-fetch-site': 'same-origin' } })).status).toBe(200);
    expect((await t.ask(SESSION, { headers: { 'sec-fetch-site': 'none' } })).status).toBe(200);
  });

  test('addresses of this machine are told from others', () => {
    t = { close: async () => {} } as TestConsole;
    for (const address of ['127.0.0.1', '127.255.0.1', '::1', '::ffff:127.0.0.1', '::FFFF:127.9.9.9'])
      expect(isLoopback(address), address).toBe(true);
    for (const address of [
      undefined,
      '',
      '10.0.0.1',
      '128.0.0.1',
      '::',
      '::2',
      '::ffff:10.0.0.1',
      '127.evil',
      'fe80::1',
    ])
      expect(isLoopback(address), address).toBe(false);
  });
});

describe('with a token', () => {
  test('it is asked for everywhere, this machine included; the page itself may be had', async () => {
    t = await startConsole({ token: TOKEN });
    const session = await t.ask(SESSION);
    expect([session.status, session.text, session.headers['www-authenticate']]).toEqual([
      401,
      '{"needsToken":true}',
      'Bearer',
    ]);
    expect((await t.ask(EVENTS)).status).toBe(401);
    expect((await t.ask('/console')).status).toBe(307);
    expect((await t.ask('/console/', { headers: { host: 'answers.example' } })).status).not.toBe(404);
  });

  test('a bearer lets in, from anywhere', async () => {
    t = await startConsole({ token: TOKEN });
    const away = { host: 'answers.example', 'x-forwarded-for': '203.0.113.9' };
    expect((await t.ask(SESSION, { headers: { ...away, ...bearer(TOKEN) } })).status).toBe(200);
    expect((await t.ask(SESSION, { headers: { ...away, authorization: `bearer ${TOKEN}` } })).status).toBe(200);
    for (const wrong of [TOKEN.slice(1), `${TOKEN}x`, TOKEN.toUpperCase(), ''])
      expect((await t.ask(SESSION, { headers: bearer(wrong) })).status, wrong).toBe(401);
    expect((await t.ask(SESSION, { headers: { authorization: `Basic ${TOKEN}` } })).status).toBe(401);
  });

  test('the form is given a cookie, which is not the token, and for which the page is let in', async () => {
    t = await startConsole({ token: TOKEN });
    const answer = await login(TOKEN, { 'sec-fetch-site': 'same-origin', origin: t.url, host: t.url.slice(7) });
    expect([answer.status, answer.text]).toEqual([204, '']);
    const [header = ''] = answer.headers['set-cookie'] ?? [];
    expect(header).toMatch(
      /^binnacle_console=\d+\.[\w-]{43}; Path=\/console; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    );
    expect(header).not.toContain(TOKEN);
    const cookie = cookieOf(header);
    expect((await t.ask(SESSION, { headers: { cookie } })).text).toBe('{"needsToken":false}');
    expect((await t.ask(SESSION, { headers: { cookie: `a=b; ${cookie}; c=d` } })).status).toBe(200);
    const page = await t.open({ cookie });
    expect((await page.until((seen) => seen.told('hello')[0])).service).toBe('svc');
  });

  test('the cookie is Secure where the page came by https', async () => {
    t = await startConsole({ token: TOKEN });
    const [header] = (await login(TOKEN, { 'x-forwarded-proto': 'https' })).headers['set-cookie'] ?? [];
    expect(header).toMatch(/; Secure$/);
  });

  test('a cookie that was changed, or is of another token, or has had its time, is none', async () => {
    const clock = createHandClock();
    t = await startConsole({ token: TOKEN, clock });
    const cookie = cookieOf((await login(TOKEN)).headers['set-cookie']?.[0]);
    const [, until = '', signature = ''] = /=(\d+)\.(.*)$/.exec(cookie) ?? [];
    const status = async (changed: string): Promise<number> =>
      (await t.ask(SESSION, { headers: { cookie: changed } })).status;
    const forged = [
      `binnacle_console=${Number(until) + 1}.${signature}`,
      `binnacle_console=${until}.${signature.slice(0, -1)}A`,
      `binnacle_console=${until}`,
      `binnacle_console=.${signature}`,
      `other=${until}.${signature}`,
    ];
    for (const changed of forged) expect(await status(changed), changed).toBe(401);
    expect(await status(cookie)).toBe(200);
    const other = await startConsole({ token: `${TOKEN}2`, clock });
    expect((await other.ask(SESSION, { headers: { cookie } })).status).toBe(401);
    await other.close();
    // A restart, or another process, knows it.
    const again = await startConsole({ token: TOKEN, clock });
    expect((await again.ask(SESSION, { headers: { cookie } })).status).toBe(200);
    await again.close();
    await clock.advance(12 * 60 * 60_000);
    expect(await status(cookie)).toBe(401);
  });

  test('after ten wrong ones in a minute not even the right one is looked at; a cookie stays good', async () => {
    const clock = createHandClock();
    t = await startConsole({ token: TOKEN, clock });
    const cookie = cookieOf((await login(TOKEN)).headers['set-cookie']?.[0]);
    for (let attempt = 0; attempt < 5; attempt += 1) {
      expect((await login(`wrong ${attempt}`)).status).toBe(401);
      expect((await t.ask(EVENTS, { headers: bearer(`wrong-${attempt}`) })).status).toBe(401);
      await clock.advance(1000);
    }
    const refused = await login(TOKEN);
    expect([refused.status, refused.headers['retry-after'], refused.headers['set-cookie']]).toEqual([
      429,
      '60',
      undefined,
    ]);
    expect((await t.ask(EVENTS, { headers: bearer(TOKEN) })).status).toBe(429);
    expect((await t.ask(SESSION, { headers: { cookie } })).status).toBe(200);
    // The first two were a minute ago.
    await clock.advance(55_001);
    expect((await login(TOKEN)).status).toBe(204);
    expect((await login('wrong again')).status).toBe(401);
    expect((await login('and again')).status).toBe(401);
    expect((await login(TOKEN)).status).toBe(429);
  });

  test('an IPv6 network tries as one', () => {
    t = { close: async () => {} } as TestConsole;
    expect(peerOf('2001:db8:1:2:aaaa::1')).toBe(peerOf('2001:db8:1:2:bbbb:0:0:9'));
    expect(peerOf('2001:db8:1:2::1')).not.toBe(peerOf('2001:db8:1:3::1'));
    expect(peerOf('::1')).toBe('0:0:0:0');
    expect([peerOf('10.0.0.1'), peerOf('::ffff:10.0.0.1'), peerOf(undefined)]).toEqual([
      '10.0.0.1',
      '::ffff:10.0.0.1',
      '',
    ]);
  });
});

describe('a login', () => {
  test.each([
    ['of another site, by its origin', { origin: 'https://evil.example' }],
    ['of another port of this machine', { origin: 'http://127.0.0.1:1' }],
    ['of no origin at all', { origin: 'null' }],
    ['of another site, as the browser tells', { 'sec-fetch-site': 'cross-site' }],
  ])('%s is refused', async (_, headers) => {
    t = await startConsole({ token: TOKEN });
    const answer = await login(TOKEN, headers as Record<string, string>);
    expect([answer.status, answer.headers['set-cookie']]).toEqual([403, undefined]);
  });

  test('is a small JSON object with a token', async () => {
    t = await startConsole({ token: TOKEN });
    const send = (body: string, type = 'application/json') =>
      t.ask(LOGIN, { method: 'POST', headers: { 'content-type': type }, body });
    for (const body of ['', '{', '[]', 'null', '{}', '{"token":5}', `"${TOKEN}"`])
      expect((await send(body)).status, body).toBe(400);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/jsonx'])
      expect((await send(JSON.stringify({ token: TOKEN }), type)).status, type).toBe(415);
    expect((await send(JSON.stringify({ token: 'x'.repeat(5000) }))).status).toBe(413);
    expect((await send(JSON.stringify({ token: TOKEN }), 'application/json; charset=utf-8')).status).toBe(204);
    for (const method of ['GET', 'PUT', 'DELETE']) expect((await t.ask(LOGIN, { method })).status).toBe(405);
  });

  test('a body that breaks off harms nobody', async () => {
    t = await startConsole({ token: TOKEN });
    const socket = connect(Number(new URL(t.url).port), '127.0.0.1');
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    socket.write(
      'POST /console/api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"to',
    );
    await new Promise<void>((resolve) => t.server.once('request', () => resolve()));
    socket.destroy();
    expect((await login(TOKEN)).status).toBe(204);
  });
});

describe('every answer', () => {
  test('says that nothing but its own files may run, frame it or be guessed', async () => {
    t = await startConsole({ token: TOKEN });
    for (const path of ['/console', '/console/', SESSION, EVENTS, '/console/none', '/console/api/none']) {
      const { headers } = await t.ask(path, { headers: bearer(TOKEN), method: path === EVENTS ? 'HEAD' : 'GET' });
      expect(headers, path).toMatchObject({
        'content-security-policy':
          "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin',
      });
      expect(headers['access-control-allow-origin']).toBeUndefined();
    }
  });

  test('only reads, except for a login', async () => {
    t = await startConsole();
    for (const path of ['/console', '/console/', SESSION, EVENTS])
      for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
        const answer = await t.ask(path, { method });
        expect([answer.status, answer.headers.allow], `${method} ${path}`).toEqual([405, 'GET, HEAD']);
      }
  });
});
