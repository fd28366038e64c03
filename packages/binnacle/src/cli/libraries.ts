/** The libraries that Binnacle knows, and how each is observed. */
import type { AiUse, Framework } from './sources.ts';

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
  /** An SDK or a framework of language models, by what `obs.ai` has for it. */
  | ({ readonly kind: 'ai' } & AiWay)
  /** An AI SDK whose calls are told of by hand. */
  | { readonly kind: 'ai by hand' }
  /** Its requests are node:http's or fetch's. */
  | { readonly kind: 'http'; readonly over: string }
  /** prom-client. */
  | { readonly kind: 'registries' }
  /** OpenTelemetry's own SDK and instrumentations. */
  | { readonly kind: 'opentelemetry' }
  /** Nothing is told of it. */
  | { readonly kind: 'none' };

export interface AiWay {
  readonly use: AiUse;
  /** The oldest version that it is tested with, as in Binnacle's `peerDependencies`. */
  readonly least: string;
  /** When it is observed: `once …`. */
  readonly once: string;
  /** What of it is observed, and what is not. */
  readonly seen: string;
  readonly mend: string;
}

const OPENAI: AiWay = {
  use: 'ai.client',
  least: '6.0.0',
  once: 'once handed to obs.ai.client()',
  seen: 'chat, completions, responses and embeddings; the rest as HTTP alone',
  mend: 'const openai = obs.ai.client(new OpenAI()), once, where it is made',
};
const ANTHROPIC: AiWay = {
  use: 'ai.client',
  least: '0.137.0',
  once: 'once handed to obs.ai.client()',
  seen: 'messages; the rest (batches, counts of tokens) as HTTP alone',
  mend: 'const anthropic = obs.ai.client(new Anthropic()), once, where it is made',
};
const GOOGLE: AiWay = {
  use: 'ai.client',
  least: '2.0.0',
  once: 'once handed to obs.ai.client()',
  seen: 'what models generate, chats too, and embeddings; the rest as HTTP alone, live sessions not at all',
  mend: 'const google = obs.ai.client(new GoogleGenAI({ apiKey })), once, where it is made',
};
const AI_SDK: AiWay = {
  use: 'ai.telemetry',
  least: '6.0.0',
  once: 'where a call is given obs.ai.telemetry()',
  seen: 'texts, objects, embeddings, tools and agents; the rest, and calls without it, as HTTP alone',
  mend: 'streamText({ …, experimental_telemetry: obs.ai.telemetry() }) (telemetry: in version 7), in each call or agent',
};
const LANGCHAIN: AiWay = {
  use: 'ai.langchain',
  least: '1.0.0',
  once: 'where a run is given obs.ai.langchain()',
  seen: 'models, tools, retrievers, chains, agents and graphs; embeddings, and runs without it, as HTTP alone',
  mend: 'chain.invoke(input, { callbacks: [obs.ai.langchain()] }), for each run, or in the model itself',
};

const CLIENT: Way = { kind: 'client' };
const FRAMEWORK: Way = { kind: 'framework' };
const AI_BY_HAND: Way = { kind: 'ai by hand' };
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
  ['openai', { kind: 'ai', ...OPENAI }],
  ['@anthropic-ai/sdk', { kind: 'ai', ...ANTHROPIC }],
  ['@google/genai', { kind: 'ai', ...GOOGLE }],
  ['ai', { kind: 'ai', ...AI_SDK }],
  ['@langchain/core', { kind: 'ai', ...LANGCHAIN }],
  ['@mistralai/mistralai', AI_BY_HAND],
  ['ollama', AI_BY_HAND],
  ['prom-client', { kind: 'registries' }],
  ['@opentelemetry/sdk-node', OPENTELEMETRY],
  ['@opentelemetry/sdk-trace-node', OPENTELEMETRY],
  ['@opentelemetry/auto-instrumentations-node', OPENTELEMETRY],
]);

/** What loses contexts where there are two of it. */
export const OTEL_API = '@opentelemetry/api';
