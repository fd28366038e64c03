/** The list of fields against the lines of a service that uses all of it. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { type Observability, type ObserveOptions, observe, type Session } from 'binnacle';
import { fastifyOptions, observeFastify } from 'binnacle/fastify';
import Fastify from 'fastify';
import { beforeAll, expect, test, vi } from 'vitest';
import { type FieldOf, lineFields } from '../../packages/binnacle/src/logs/field-list.ts';

type Line = Readonly<Record<string, unknown>>;
const lines: Line[] = [];
const closing = (): Line[] => lines.filter(({ message }) => String(message).endsWith('Request completed'));

type Told = Pick<ObserveOptions, 'user'> & { readonly caller: string };

/**
 * Asks everything once, over a real socket, and keeps the lines. Closing lines are put together in two ways: compiled
 * where they say no more than those of any such request, and field by field where each says who called, or asked.
 */
async function ask({ caller, ...more }: Told): Promise<void> {
  const before = closing().length;
  const obs = observe({
    service: 'fields',
    env: { ENVIRONMENT: 'production', LOG_CALLER: caller },
    destination: { write: (line) => void lines.push(JSON.parse(line)) },
    ...more,
  });
  const app = Fastify(fastifyOptions(obs));
  await app.register(observeFastify(obs));
  app.get('/ask', (_request, reply) => obs.session({ id: 's1' }, (session) => work(obs, session, reply.hijack().raw)));
  app.get('/stream', (_request, reply) => void stream(reply.hijack().raw));
  app.get('/fails', (_request, reply) => reply.code(503).send());
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const paths = ['/ask', '/stream', '/fails', '/none'];
  for (const path of paths) await (await fetch(url + path)).text();
  await vi.waitFor(() => expect(closing()).toHaveLength(before + paths.length));
  await app.close();
  await obs.close();
}

async function work(obs: Observability, session: Session, answer: ServerResponse): Promise<void> {
  const cache = obs.cache('facts', new Map<string, string>());
  await session.phase('research', async () => cache.get('x'));
  const info = { operation: 'chat', provider: 'embedded', model: 'm' };
  const call = () => obs.ai.call(info, async (operation) => operation.usage({ inputTokens: 1, outputTokens: 2 }));
  await obs.breaker('llm').run(call);
  await session.phase('broken', () => Promise.reject(new Error('no'))).catch(() => {});
  obs.log.error(new Error('a line of its own'));
  await stream(answer);
}

async function stream(answer: ServerResponse): Promise<void> {
  answer.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const piece of ['a', 'b']) answer.write(`data: ${piece}\n\n`);
  answer.end();
  await once(answer, 'close');
}

beforeAll(async () => {
  await ask({ caller: 'false' });
  await ask({ caller: 'true', user: () => 'ada' });
});

test('a closing line has the same fields, in whichever way it is put together', () => {
  const own = ['user_id', 'module', 'function', 'line'];
  const fields = closing().map((line) => Object.keys(line).filter((name) => !own.includes(name)));
  expect(fields).toHaveLength(8);
  expect(fields.slice(0, 4)).toEqual(fields.slice(4));
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
