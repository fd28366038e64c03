/** The request in hand: ids, user, address, and the lines and spans that carry them. */
import { once } from 'node:events';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { currentRequest } from '../../src/context.ts';
import { type CreateApp, type Harness, type HarnessOptions, openRaw, send, startHarness, waitFor } from './harness.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const JSON_TYPE = { 'content-type': 'application/json' };

export function describeRequests(createApp: CreateApp): void {
  let app: Harness;
  afterEach(() => app.close());
  const start = async (options: HarnessOptions): Promise<void> => {
    app = await startHarness(createApp, options);
  };
  const idsOf = (message: string): unknown[] =>
    app.lines().flatMap((line) => (line.message === message ? [line.request_id] : []));

  describe('ids', () => {
    test.each([
      ['none', {}, undefined],
      ['a usable one', { 'x-request-id': 'abc-1.2:3/4' }, 'abc-1.2:3/4'],
      ['128 characters', { 'x-request-id': 'x'.repeat(128) }, 'x'.repeat(128)],
      ['129 characters', { 'x-request-id': 'x'.repeat(129) }, undefined],
      ['5,000 characters', { 'x-request-id': 'x'.repeat(5000) }, undefined],
      ['a quote', { 'x-request-id': 'a"b' }, undefined],
      ['a space', { 'x-request-id': 'a b' }, undefined],
      ['what is not ASCII', { 'x-request-id': 'é' }, undefined],
      ['two headers', { 'x-request-id': ['a', 'b'] }, undefined],
    ])('%s', async (_, headers, id) => {
      await start({
        routes: [{ method: 'GET', path: '/', answer: () => ({ body: { id: currentRequest()?.requestId } }) }],
      });
      const answer = await send(`${app.url}/`, { headers: headers as Record<string, string> });
      const given = answer.headers['x-request-id'];
      if (id === undefined) expect(given).toMatch(UUID);
      else expect(given).toBe(id);
      expect(JSON.parse(answer.body)).toEqual({ id: given });
      expect((await app.closing(1))[0]?.request_id).toBe(given);
    });

    test('go out with every answer: not found, broken, refused', async () => {
      await start({ routes: [{ method: 'POST', path: '/echo', answer: () => ({}) }] });
      const asks = [
        send(`${app.url}/none`, { headers: { 'x-request-id': 'a' } }),
        send(`${app.url}/%zz`, { headers: { 'x-request-id': 'b' } }),
        send(`${app.url}/echo`, { method: 'POST', headers: { ...JSON_TYPE, 'x-request-id': 'c' }, body: '{' }),
      ];
      const answers = await Promise.all(asks);
      expect(answers.map(({ headers }) => headers['x-request-id'])).toEqual(['a', 'b', 'c']);
    });
  });

  describe('lines', () => {
    test('have the request id wherever a request is in hand', async () => {
      const log = (message: string): void => void app.obs.log.info(message);
      await start({
        routes: [
          {
            method: 'POST',
            path: '/work',
            async answer() {
              log('handler');
              await sleep(1);
              log('after a timer');
              await turn();
              log('after a turn');
              process.nextTick(() => log('next tick'));
              queueMicrotask(() => log('microtask'));
              return { body: {} };
            },
          },
          {
            method: 'GET',
            path: '/stream',
            async write(req, res) {
              req.resume().once('end', () => log('request end'));
              res.once('finish', () => log('answer finish'));
              res.once('close', () => log('answer close'));
              await once(req, 'end');
              log('after the body');
              res.write('x', () => log('written'));
              setTimeout(() => res.end(), 1);
            },
          },
        ],
      });
      const ask = (method: string, path: string, id: string, body?: string) =>
        send(`${app.url}${path}`, { method, headers: { ...JSON_TYPE, 'x-request-id': id }, ...(body && { body }) });
      await ask('POST', '/work', 'work', '{}');
      await ask('GET', '/stream', 'stream');
      await ask('POST', '/work', 'broken', '{"a":');
      await ask('GET', '/none', 'none');
      await app.closing(4);
      await waitFor(() => expect(idsOf('answer close')).toHaveLength(1));
      for (const message of ['handler', 'after a timer', 'after a turn', 'next tick', 'microtask'])
        expect(idsOf(message), message).toEqual(['work']);
      for (const message of ['request end', 'after the body', 'written', 'answer finish', 'answer close'])
        expect(idsOf(message), message).toEqual(['stream']);
      expect(idsOf('error handler')).toEqual(['broken']);
      expect(idsOf('not found handler')).toEqual(['none']);
      expect(idsOf('Request completed')).toEqual(['work', 'stream', 'broken', 'none']);
    });

    test('have it in the events of the request and of the answer, whoever emits them', async () => {
      await start({
        routes: [
          {
            method: 'POST',
            path: '/upload',
            write(req, res) {
              const log = (message: string) => () => app.obs.log.info(message);
              req.on('data', log('data')).once('aborted', log('aborted'));
              res.writeHead(200).write('begun');
              res.once('close', log('close'));
            },
          },
        ],
      });
      const client = await openRaw(app.port);
      const headers = 'Host: x\r\nContent-Type: application/octet-stream\r\nContent-Length: 100\r\nX-Request-Id: up';
      client.write(`POST /upload HTTP/1.1\r\n${headers}\r\n\r\n`);
      await client.until('begun');
      client.write('part');
      await waitFor(() => expect(idsOf('data')).toEqual(['up']));
      client.socket.destroy();
      await waitFor(() => expect([idsOf('aborted'), idsOf('close')]).toEqual([['up'], ['up']]));
      expect((await app.closing(1))[0]).toMatchObject({ request_bytes: 4, error_type: 'client_disconnect' });
    });

    test('of an error handler, after the handler threw', async () => {
      await start({
        routes: [
          {
            method: 'GET',
            path: '/fails',
            async answer() {
              await turn();
              throw new Error('broken');
            },
          },
        ],
      });
      await send(`${app.url}/fails`, { headers: { 'x-request-id': 'f' } });
      await app.closing(1);
      expect(idsOf('error handler')).toEqual(['f']);
    });

    test('of one request never carry the id of another on the same connection', async () => {
      await start({
        routes: [
          {
            method: 'GET',
            path: '/:id',
            answer: ({ params }) => {
              app.obs.log.info(`in ${params.id}`);
              setTimeout(() => app.obs.log.info(`late ${params.id}`), 5);
              return { body: {} };
            },
          },
        ],
      });
      const client = await openRaw(app.port);
      const ids = ['one', 'two', 'three'];
      for (const [i, id] of ids.entries()) {
        client.write(`GET /${id} HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${id}\r\n\r\n`);
        await waitFor(() => expect(client.received().split('HTTP/1.1 200').length).toBe(i + 2));
      }
      client.socket.destroy();
      await waitFor(() => expect(ids.map((id) => idsOf(`late ${id}`))).toEqual(ids.map((id) => [id])));
      for (const id of ids) expect(idsOf(`in ${id}`)).toEqual([id]);
    });

    test('of 1,000 requests at once are kept apart', async () => {
      await start({
        routes: [
          {
            method: 'POST',
            path: '/tasks/:id',
            async answer({ params }) {
              for (let step = 0; step < 3; step += 1) {
                await (Number(params.id) % 2 === 0 ? turn() : sleep(Number(params.id) % 7));
                app.obs.log.info(`step ${params.id}`);
              }
              return { body: { id: currentRequest()?.requestId, user: currentRequest()?.userId } };
            },
          },
        ],
      });
      const ask = async (i: number) => {
        const headers = { ...JSON_TYPE, 'x-request-id': `id-${i}`, 'x-user': `user-${i}` };
        return JSON.parse((await send(`${app.url}/tasks/${i}`, { method: 'POST', headers, body: '{"a":1}' })).body);
      };
      const answers = await Promise.all(Array.from({ length: 1000 }, (_, i) => ask(i)));
      expect(answers).toEqual(answers.map((_, i) => ({ id: `id-${i}`, user: `user-${i}` })));
      await app.closing(1000);
      const steps = app.lines().filter(({ message }) => message.startsWith('step '));
      expect(steps).toHaveLength(3000);
      for (const { message, request_id, user_id } of steps) {
        const i = message.slice('step '.length);
        expect([request_id, user_id]).toEqual([`id-${i}`, `user-${i}`]);
      }
      expect(await app.value('http_server_active_requests{http_request_method="POST",url_scheme="http"}')).toBe(0);
    });
  });

  test('the user is asked for once, and is in every line from the handler on', async () => {
    await start({
      routes: [
        {
          method: 'GET',
          path: '/',
          answer: () => {
            app.obs.log.info('handler');
            return {};
          },
        },
      ],
    });
    await send(`${app.url}/`, { headers: { 'x-user': 'ada' } });
    await send(`${app.url}/`, { headers: { 'x-user': 'x'.repeat(500) } });
    await send(`${app.url}/`);
    const lines = await app.closing(3);
    expect(lines.map(({ user_id }) => user_id)).toEqual(['ada', 'x'.repeat(128), undefined]);
    expect(app.lines().find(({ message }) => message === 'handler')?.user_id).toBe('ada');
  });

  test('a look-up of the user that throws is told once, and breaks nothing', async () => {
    await start({
      routes: [{ method: 'GET', path: '/', answer: () => ({ body: 'fine' }) }],
      options: {
        user() {
          throw new Error('no database');
        },
      },
    });
    for (let i = 0; i < 3; i += 1) expect((await send(`${app.url}/`)).status).toBe(200);
    await app.closing(3);
    expect(app.lines().filter(({ level }) => level === 'WARNING')).toHaveLength(1);
  });

  test.each([
    ['false', '127.0.0.1'],
    ['true', '198.51.100.1'],
    ['1', '203.0.113.7'],
    ['127.0.0.1, 203.0.113.0/24', '198.51.100.1'],
    ['10.0.0.0/8', '127.0.0.1'],
  ])('with TRUST_PROXY=%s the address is %s', async (trust, ip) => {
    await start({ routes: [{ method: 'GET', path: '/', answer: () => ({}) }], env: { TRUST_PROXY: trust } });
    await send(`${app.url}/`, { headers: { 'x-forwarded-for': '198.51.100.1, 203.0.113.7' } });
    expect((await app.closing(1))[0]?.ip).toBe(ip);
    expect((await app.spans(1))[0]?.attributes['client.address']).toBe(ip);
  });

  describe('traces', () => {
    const TRACE = '0af7651916cd43dd8448eb211c80319c';
    const traceparent = `00-${TRACE}-b7ad6b7169203331-01`;

    test('go on from the caller, and are in every line', async () => {
      await start({ routes: [{ method: 'GET', path: '/', answer: () => ({}) }] });
      await send(`${app.url}/`, { headers: { traceparent } });
      await send(`${app.url}/`, { headers: { traceparent: 'garbage' } });
      const [line, fresh] = await app.closing(2);
      const spans = await app.spans(2);
      const span = spans.find(({ traceId }) => traceId === TRACE);
      expect(span?.parentSpanId).toBe('b7ad6b7169203331');
      expect(line).toMatchObject({ trace_id: TRACE, span_id: span?.spanId });
      expect(fresh?.trace_id).toMatch(/^[0-9a-f]{32}$/);
      expect(fresh?.trace_id).not.toBe(TRACE);
    });

    test('hold the phases of a session below the request', async () => {
      await start({
        routes: [
          {
            method: 'GET',
            path: '/',
            answer: () =>
              app.obs.session({ id: 's1' }, async ({ phase }) => {
                await phase('connecting', () => turn());
                return {};
              }),
          },
        ],
      });
      await send(`${app.url}/`);
      const [phase] = await app.spans(1, 'phase connecting');
      const [server] = await app.spans(1, 'GET /');
      expect(phase?.parentSpanId).toBe(server?.spanId);
      expect([phase?.attributes['session.id'], server?.attributes['session.id']]).toEqual(['s1', 's1']);
      const [line] = await app.closing(1);
      expect(line).toMatchObject({ message: '[s1] Request completed', session_id: 's1', span_id: server?.spanId });
    });

    test('are off with OTEL_SDK_DISABLED: no ids in lines, everything else stays', async () => {
      await start({ routes: [{ method: 'GET', path: '/x', answer: () => ({}) }], env: { OTEL_SDK_DISABLED: 'true' } });
      const { headers } = await send(`${app.url}/x`, { headers: { traceparent, 'x-request-id': 'r' } });
      expect(headers['x-request-id']).toBe('r');
      const [line] = await app.closing(1);
      expect(line).toMatchObject({ request_id: 'r', route: '/x' });
      for (const field of ['trace_id', 'span_id', 'trace_flags']) expect(line).not.toHaveProperty(field);
      expect(await app.series('http_server_request_duration_seconds_count')).toHaveLength(1);
      await app.spans(0);
    });

    test('leave excluded URLs out, whose closing line is DEBUG', async () => {
      const route = (path: string) => ({
        method: 'GET' as const,
        path,
        answer: () => {
          app.obs.log.info('handler');
          return app.obs.session({ id: 's' }, ({ phase }) => phase('p', () => ({})));
        },
      });
      await start({ routes: ['/quiet/:id', '/loud'].map(route), env: { OTEL_NODE_EXCLUDED_URLS: '/quiet/.*,/x' } });
      for (const path of ['/quiet/1', '/loud', '/quiet/2?a']) await send(`${app.url}${path}`);
      const lines = await app.closing(3);
      expect(lines.map(({ level }) => level)).toEqual(['DEBUG', 'INFO', 'DEBUG']);
      expect(idsOf('handler').every((id) => UUID.test(String(id)))).toBe(true);
      expect((await app.spans(2)).map(({ name }) => name)).toEqual(['phase p', 'GET /loud']);
    });
  });
}
