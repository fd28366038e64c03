/** The libraries that Binnacle knows, and how each is observed. */
import type { Framework } from './sources.ts';

export type Way =
  /**
   * By what the library tells on Node's diagnostics channels, from a version on. The versions: the oldest published
   * package whose sources hold the channels (ioredis 5.11.0, `@redis/client` 5.12.0 and mysql2 3.20.0, where the
   * release before has none). undici has them from 4.6, and `addHeader` as Binnacle uses it is tried from 5 on.
   */
  | { readonly kind: 'channels'; readonly least: string }
  /** Once its instance is handed to `obs.client()`. */
  | { readonly kind: 'client' }
  /** By an adapter, from a version of the framework on. */
  | { readonly kind: 'adapter'; readonly least: string; readonly use: Framework; readonly mend: string }
  /** A framework that no adapter is there for. */
  | { readonly kind: 'framework' }
  /** An AI SDK: its calls are told of by hand. */
  | { readonly kind: 'ai' }
  /** Its requests are node:http's or fetch's. */
  | { readonly kind: 'http'; readonly over: string }
  /** prom-client. */
  | { readonly kind: 'registries' }
  /** OpenTelemetry's own SDK and instrumentations. */
  | { readonly kind: 'opentelemetry' }
  /** Nothing is told of it. */
  | { readonly kind: 'none' };

const CLIENT: Way = { kind: 'client' };
const FRAMEWORK: Way = { kind: 'framework' };
const AI: Way = { kind: 'ai' };
const OPENTELEMETRY: Way = { kind: 'opentelemetry' };
const NONE: Way = { kind: 'none' };

function adapter(use: Framework, least: string, mend: string): Way {
  return { kind: 'adapter', use, least, mend };
}

/** By package name, in the order of the report. */
export const LIBRARIES: ReadonlyMap<string, Way> = new Map<string, Way>([
  [
    'fastify',
    adapter('fastify', '5.0.0', 'Fastify(fastifyOptions(obs)), then await app.register(observeFastify(obs))'),
  ],
  ['express', adapter('express', '4.20.0', 'app.use(await observeExpress(obs)), before all other middleware')],
  ['hono', adapter('hono', '4.8.0', 'app.use(await observeHono(obs)), before all other middleware')],
  ['@nestjs/core', adapter('nest', '11.0.0', 'await observeNest(obs, app), before app.listen()')],
  ['koa', FRAMEWORK],
  ['next', FRAMEWORK],
  ['undici', { kind: 'channels', least: '5.0.0' }],
  ['axios', { kind: 'http', over: 'node:http' }],
  ['got', { kind: 'http', over: 'node:http' }],
  ['node-fetch', { kind: 'http', over: 'node:http' }],
  ['ioredis', { kind: 'channels', least: '5.11.0' }],
  // `redis` is a thin package over `@redis/client`, and asks for exactly its own version of it.
  ['redis', { kind: 'channels', least: '5.12.0' }],
  ['@redis/client', { kind: 'channels', least: '5.12.0' }],
  ['mysql2', { kind: 'channels', least: '3.20.0' }],
  ['pg', CLIENT],
  ['postgres', CLIENT],
  ['libsql', CLIENT],
  ['@libsql/client', CLIENT],
  ['mysql', NONE],
  ['mongodb', NONE],
  ['mongoose', NONE],
  ['better-sqlite3', NONE],
  ['openai', AI],
  ['@anthropic-ai/sdk', AI],
  ['@google/genai', AI],
  ['@mistralai/mistralai', AI],
  ['ollama', AI],
  ['ai', AI],
  ['prom-client', { kind: 'registries' }],
  ['@opentelemetry/sdk-node', OPENTELEMETRY],
  ['@opentelemetry/sdk-trace-node', OPENTELEMETRY],
  ['@opentelemetry/auto-instrumentations-node', OPENTELEMETRY],
]);

/** What loses contexts where there are two of it. */
export const OTEL_API = '@opentelemetry/api';
