/** The list of fields against the lines of a service that uses all of it. */
import { once } from 'node:events';
import { observe } from 'binnacle';
import { fastifyOptions, observeFastify } from 'binnacle/fastify';
import Fastify from 'fastify';
import { beforeAll, expect, test, vi } from 'vitest';
import { type FieldOf, lineFields } from '../../packages/binnacle/src/logs/field-list.ts';

type Line = Readonly<Record<string, unknown>>;
const lines: Line[] = [];
const closing = (): Line[] => lines.filter(({ message }) => String(message).endsWith('Request completed'));

/** Asks everything once, over a real socket, and gives the lines. */
beforeAll(async () => {
  const obs = observe({
    service: 'fields',
    env: { ENVIRONMENT: 'production', LOG_CALLER: 'true' },
    destination: { write: (line) => void lines.push(JSON.parse(line)) },
    user: () => 'ada',
  });
  const app = Fastify(fastifyOptions(obs));
  await app.register(observeFastify(obs));
  const cache = obs.cache('facts', new Map<string, string>());
  const breaker = obs.breaker('llm');
  app.get('/ask', (_request, reply) =>
    obs.session({ id: 's1' }, async (session) => {
      await session.phase('research', async () => cache.get('x'));
      const info = { operation: 'chat', provider: 'embedded', model: 'm' };
      await breaker.run(() => obs.ai.call(info, async (call) => call.usage({ inputTokens: 1, outputTokens: 2 })));
      await session.phase('broken', () => Promise.reject(new Error('no'))).catch(() => {});
      obs.log.error(new Error('a line of its own'));
      reply.hijack();
      reply.raw.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const piece of ['a', 'b']) reply.raw.write(`data: ${piece}\n\n`);
      reply.raw.end();
      await once(reply.raw, 'close');
    }),
  );
  app.get('/fails', (_request, reply) => reply.code(503).send());
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  for (const path of ['/ask', '/fails', '/none']) await (await fetch(url + path)).text();
  await vi.waitFor(() => expect(closing()).toHaveLength(3));
  await app.close();
  await obs.close();
});

test('every field of these lines is in the list, with its type', () => {
  const types = new Map(lineFields.map(({ name, type }) => [name, type]));
  for (const line of lines)
    for (const [name, value] of Object.entries(line)) expect(typeof value, name).toBe(types.get(name));
});

test('every field of the list is on a line', () => {
  const seen = new Set(lines.flatMap((line) => Object.keys(line)));
  expect(lineFields.map(({ name }) => name).filter((name) => !seen.has(name))).toEqual([]);
});

test('fields stand where the list says', () => {
  const of = (where: FieldOf): string[] => lineFields.flatMap((field) => (field.of === where ? [field.name] : []));
  for (const line of lines) expect(Object.keys(line)).toEqual(expect.arrayContaining(of('every line')));
  const outside = lines.filter(({ request_id: id }) => id === undefined);
  for (const line of outside)
    expect(Object.keys(line).filter((name) => of('lines of a request').includes(name))).toEqual([]);
  const seen = new Set(closing().flatMap((line) => Object.keys(line)));
  expect(of('closing lines').filter((name) => !seen.has(name))).toEqual([]);
  expect(seen).not.toContain('phase');
});
