import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { createHead } from './request-head.ts';
import { createSender } from './sender.ts';

const head = (url: string, headers: Record<string, string> = {}): string[] =>
  createHead(new URL(url), headers).split('\r\n');

test('a request line, then headers, then the name of the length', () => {
  expect(head('http://collector:4318/v1/traces', { 'user-agent': 'x', empty: '' })).toEqual([
    'POST /v1/traces HTTP/1.1',
    'host: collector:4318',
    'connection: keep-alive',
    'user-agent: x',
    'empty: ',
    'content-length: ',
  ]);
});

test.each([
  ['http://collector/', 'collector'],
  ['http://collector:80/', 'collector'],
  ['http://collector:443/', 'collector:443'],
  ['https://collector:443/', 'collector'],
  ['https://collector:80/', 'collector:80'],
  ['http://[::1]/', '[::1]'],
  ['http://[::1]:4318/', '[::1]:4318'],
  ['http://10.0.0.1:4318/', '10.0.0.1:4318'],
  ['http://b\u00fccher.example/', 'xn--bcher-kva.example'],
])('the host of %s', (url, host) => {
  expect(head(url)).toContain(`host: ${host}`);
});

test.each([
  [{ authorization: 'a\nsecret' }, 'ERR_INVALID_CHAR'],
  [{ authorization: 'a\rsecret' }, 'ERR_INVALID_CHAR'],
  [{ authorization: '\u0100secret' }, 'ERR_INVALID_CHAR'],
  [{ 'a: b\r\nsecret': 'x' }, 'ERR_INVALID_HTTP_TOKEN'],
  [{ '': 'secret' }, 'ERR_INVALID_HTTP_TOKEN'],
])('%j cannot be sent', (headers, code) => {
  const create = (): string => createHead(new URL('http://collector/'), headers);
  expect(create).toThrow(expect.objectContaining({ code }));
  if (code === 'ERR_INVALID_CHAR') expect(create).not.toThrow(/secret/);
});

test.each<[string, Record<string, string>]>([
  ['/', {}],
  ['/v1/traces?key=1&b=%20x#fragment', { 'x-team': 'a b', latin: '\u00e9' }],
  ['/a b/\u00fc"<>`{}|\\^[]?\u00fc=\'"', {}],
  ['//elsewhere/v1', {}],
  ['user:p%40ss%3A%C3%BC@/v1/traces', {}],
  ['user@/v1/traces', {}],
  ['user:password@/v1/traces', { authorization: 'Bearer x' }],
  ['/v1/traces', { host: 'elsewhere.example:8080' }],
])('%s with %j is asked as node:http does', async (path, headers) => {
  const seen: unknown[] = [];
  const server = createServer((req: IncomingMessage, res) => {
    seen.push({ method: req.method, url: req.url, version: req.httpVersion, headers: req.headers });
    req.resume().on('end', () => res.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const at = path.indexOf('@') + 1;
  const url = `http://${path.slice(0, at)}127.0.0.1:${(server.address() as AddressInfo).port}${path.slice(at)}`;
  const sender = createSender(url, headers);
  try {
    await sender.post(Buffer.from('abc'), () => {});
    const sent = request(url, {
      method: 'POST',
      headers: { ...headers, connection: 'keep-alive', 'content-length': 3 },
    });
    await once(sent.end(Buffer.from('abc')), 'response');
    expect(seen[0]).toEqual(seen[1]);
  } finally {
    sender.close();
    server.close();
    server.closeAllConnections();
  }
});
