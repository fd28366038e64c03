/** Bad input and bad settings: each a clear answer. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from './events.ts';
import { runService, type Service, startService } from './service.ts';

let service: Service;
beforeAll(async () => {
  service = await startService({ BODY_LIMIT_BYTES: '1048576' });
});
afterAll(() => service.stop());

const STREAM = '/api/fit-check/stream';
const json = { 'content-type': 'application/json' };
const query = (text: string): string => JSON.stringify({ query: text });

interface Case {
  readonly what: string;
  readonly status: number;
  readonly code: string;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** What the message must name. */
  readonly says?: RegExp;
}

const CASES: readonly Case[] = [
  { what: 'no body', status: 400, code: 'bad_request', headers: {}, says: /body/i },
  { what: 'an empty JSON body', status: 400, code: 'bad_request', body: '', headers: json },
  { what: 'broken JSON', status: 400, code: 'bad_request', body: '{"query": "Goo', says: /JSON/ },
  { what: 'an array', status: 400, code: 'bad_request', body: '["query"]' },
  { what: 'null', status: 400, code: 'bad_request', body: 'null' },
  { what: 'no query', status: 400, code: 'bad_request', body: '{}', says: /"query"/ },
  { what: 'a query of a wrong type', status: 400, code: 'bad_request', body: '{"query": 42}', says: /"query"/ },
  { what: 'a query of 1 character', status: 400, code: 'bad_request', body: query('x'), says: /2 to 20000/ },
  { what: 'a query of spaces', status: 400, code: 'bad_request', body: query('         ') },
  {
    what: 'a query of 100,000 characters',
    status: 400,
    code: 'bad_request',
    body: query('x'.repeat(100_000)),
    says: /2 to 20000/,
  },
  { what: 'a body of 10 MB', status: 413, code: 'too_large', body: query('x'.repeat(10_000_000)) },
  {
    what: 'newlines in session_id',
    status: 400,
    code: 'bad_request',
    body: '{"query": "Google", "session_id": "a\\nb"}',
    says: /session_id/,
  },
  {
    what: 'a trailing newline in session_id',
    status: 400,
    code: 'bad_request',
    body: '{"query": "Google", "session_id": "ab\\n"}',
    says: /session_id/,
  },
  {
    what: 'a session_id of 129 characters',
    status: 400,
    code: 'bad_request',
    body: JSON.stringify({ query: 'Google', session_id: 'a'.repeat(129) }),
  },
  {
    what: 'include_thoughts of a wrong type',
    status: 400,
    code: 'bad_request',
    body: '{"query": "Google", "include_thoughts": "yes"}',
    says: /include_thoughts/,
  },
  { what: '__proto__', status: 400, code: 'bad_request', body: '{"query": "Google", "__proto__": {"a": 1}}' },
  { what: 'constructor', status: 400, code: 'bad_request', body: '{"query": "Google", "constructor": 1}' },
  {
    what: 'constructor.prototype',
    status: 400,
    code: 'bad_request',
    body: '{"query": "Google", "constructor": {"prototype": {}}}',
  },
  {
    what: 'a form',
    status: 415,
    code: 'unsupported_type',
    body: 'query=Google',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  },
  { what: 'text', status: 415, code: 'unsupported_type', body: 'Google', headers: { 'content-type': 'text/plain' } },
  { what: 'an unknown route', status: 404, code: 'not_found', method: 'GET', path: '/nothing/here?token=abc' },
  { what: 'an unknown session', status: 404, code: 'not_found', method: 'GET', path: '/api/fit-check/sessions/none' },
  { what: 'a wrong method', status: 405, code: 'method_not_allowed', method: 'DELETE', path: STREAM },
  { what: 'GET of the stream', status: 405, code: 'method_not_allowed', method: 'GET', path: STREAM },
  { what: 'HEAD of the stream', status: 405, code: '', method: 'HEAD', path: STREAM },
  { what: 'OPTIONS of the stream', status: 405, code: 'method_not_allowed', method: 'OPTIONS', path: STREAM },
  { what: 'a path that is not encoded', status: 400, code: 'bad_request', method: 'GET', path: '/%zz' },
];

describe('bad input', () => {
  it.each(CASES)(
    '$what: $status $code',
    async ({ status, code, method = 'POST', path = STREAM, headers = json, body, says }) => {
      const response = await fetch(`${service.url}${path}`, {
        method,
        headers,
        ...(method === 'POST' && body !== undefined && { body }),
      });
      const text = await response.text();
      expect(response.status, text).toBe(status);
      if (method === 'HEAD') return;
      const { error } = JSON.parse(text) as { error: Record<string, string> };
      expect(Object.keys(error).sort()).toEqual(['code', 'message', 'request_id']);
      expect(error.code).toBe(code);
      expect(error.request_id).toBe(response.headers.get('x-request-id'));
      if (says !== undefined) expect(error.message).toMatch(says);
      expect(text).not.toMatch(/at .*\.(js|ts):\d+|node_modules/);
      if (status === 405) expect(response.headers.get('allow')).toBeTruthy();
    },
  );

  it('a request id of 5,000 characters is replaced by a new one', async () => {
    const given = 'x'.repeat(5000);
    const response = await fetch(`${service.url}/api/fit-check/health`, { headers: { 'x-request-id': given } });
    expect(response.status).toBe(200);
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(service.output.join('\n')).not.toContain(given);
  });

  it('a request id that is usable comes back', async () => {
    const response = await fetch(`${service.url}/api/fit-check/health`, { headers: { 'x-request-id': 'mine-1' } });
    expect(response.headers.get('x-request-id')).toBe('mine-1');
  });

  it('unknown keys are ignored', async () => {
    const stream = await ask(service.url, { query: 'Google', temperature: 0.3 });
    expect(stream.events.at(-1)?.event).toBe('complete');
  });

  it('the longest query is taken', async () => {
    const stream = await ask(service.url, {
      query: `  ${'We look for TypeScript and Kubernetes. '.repeat(600).slice(0, 19_998)}!!  `,
    });
    expect(stream.events.at(-1)?.event).toBe('complete');
  });

  it('a key that is not named among the forbidden ones is ignored', async () => {
    const stream = await ask(service.url, { query: 'Google', prototype: 1 });
    expect(stream.events.at(-1)?.event).toBe('complete');
  });

  it.each([
    ['garbage', 'nonsense\r\n\r\n', 400],
    ['headers of 40 KB', `GET / HTTP/1.1\r\nhost: x\r\nx-large: ${'y'.repeat(40_000)}\r\n\r\n`, 431],
  ])('%s is answered in the same form', async (_, text, status) => {
    const answer = await new Promise<string>((resolve, reject) => {
      let got = '';
      const socket = connect(Number(new URL(service.url).port), '127.0.0.1', () => socket.write(text));
      socket
        .setEncoding('utf8')
        .on('data', (chunk: string) => (got += chunk))
        .on('end', () => resolve(got))
        .on('error', reject);
    });
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    const body = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as { error: Record<string, string> };
    expect(Object.keys(body.error).sort()).toEqual(['code', 'message', 'request_id']);
  });

  it('what is not HTTP is refused, and the service lives on', async () => {
    const { port } = new URL(service.url);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.end('\u0000\u0001 nonsense\r\n\r\n'));
      socket
        .on('close', () => resolve())
        .on('error', () => {})
        .resume();
    });
    expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
  });
});

describe('bad settings stop the start with one line', () => {
  const cases: [variable: string, value: string, allowed: RegExp, shown?: string][] = [
    ['PORT', 'eighty', /0 to 65535/],
    ['LOG_LEVEL', 'LOUD', /TRACE, DEBUG, INFO/],
    ['LOG_FORMAT', 'xml', /text, json/],
    ['LOG_LEVELS', 'undici', /LOGGER=LEVEL/],
    ['MAX_SESSIONS', '0', /1 to/],
    ['METRICS_ENABLED', 'perhaps', /true or false/],
    ['TRUST_PROXY', 'everyone', /hops/],
    ['DATABASE_URL', 'mysql://root:hunter2@db/x?key=s3cret', /file:PATH/, 'mysql://db/x'],
    ['SEARCH_URL', 'http://user:hunter2@search/?key=s3cret', /without user/, 'http://search/'],
    ['SEARCH_URL', 'ftp://user:hunter2@search?key=s3cret', /http/, 'ftp://search'],
    ['ALLOWED_ORIGINS', 'example.com', /origins/],
    ['PROFILE_PATH', '/does/not/exist.json', /JSON Resume|exist|read/i],
    ['DATABASE_URL', 'file:/proc/nothing/here.db', /file:PATH/],
    ['DATABASE_URL', 'file:/etc/hostname', /file:PATH/],
    ['HEALTH_CRITICAL', 'databse,disk', /event_loop/],
    ['LOG_FILE', '/proc/nothing/here.log', /./],
    ['REDIS_URL', 'http://:hunter2@cache:6379', /redis:/, 'http://cache:6379'],
    ['REDIS_URL', 'redis://:hunter2@cache:6379/main?x=s3cret', /a number/, 'redis://cache:6379/main'],
  ];
  it.each(cases)('%s=%s', async (variable, value, allowed, shown = value) => {
    for (const format of ['json', 'text']) {
      const { status, output } = await runService({ LOG_FORMAT: format, [variable]: value });
      const lines = output.trim().split('\n');
      expect(lines, output).toHaveLength(1);
      expect(status).toBe(1);
      const message =
        format === 'json' && variable !== 'LOG_FORMAT'
          ? (JSON.parse(lines[0] as string) as { message: string }).message
          : (lines[0] as string);
      expect(message).toContain(variable);
      expect(message).toContain(shown);
      expect(message).toMatch(allowed);
      expect(output).not.toMatch(/hunter2|s3cret/);
    }
  });

  it('a port that is taken', async () => {
    const { status, output } = await runService({ LOG_FORMAT: 'json', PORT: new URL(service.url).port });
    expect(status).toBe(1);
    expect(output).toMatch(/is taken/);
    for (const line of output.trim().split('\n')) JSON.parse(line);
  });

  it('wrong OTEL_* variables warn, and the service runs', async () => {
    const other = await startService({
      OTEL_TRACES_SAMPLER: 'sometimes',
      OTEL_BSP_MAX_QUEUE_SIZE: 'many',
      OTEL_TRACES_SAMPLER_ARG: '0.1',
    });
    const warnings = other
      .lines()
      .filter((line) => line.level === 'WARNING')
      .map((line) => line.message);
    expect(warnings).toEqual([
      expect.stringContaining('OTEL_TRACES_SAMPLER="sometimes"'),
      expect.stringContaining('OTEL_BSP_MAX_QUEUE_SIZE="many"'),
    ]);
    await other.stop();
  });
});
