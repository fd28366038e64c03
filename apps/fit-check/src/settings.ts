/** The service's own variables, read once at the start with the library's reader. */
import { type Reader, readSettings } from 'binnacle';

export type LlmSettings =
  | { readonly kind: 'embedded'; readonly why: string }
  | {
      readonly kind: 'openai';
      readonly model: string;
      readonly apiKey: string | undefined;
      readonly baseUrl: string | undefined;
      readonly why: string;
    };

export type DatabaseSettings =
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'postgres'; readonly url: string };

export interface FitCheckSettings {
  readonly host: string;
  readonly port: number;
  readonly allowedOrigins: readonly string[];
  /** What was built, for `build_info`; the image sets it. */
  readonly revision: string | undefined;
  readonly database: DatabaseSettings;
  /** Redis or Valkey; the cache is in the process alone where it is not set. */
  readonly redisUrl: string | undefined;
  readonly llm: LlmSettings;
  /** How long the LLM may be silent, before and within its answer, in milliseconds. */
  readonly llmTimeoutMs: number;
  /** How long a search may take, in milliseconds. */
  readonly searchTimeoutMs: number;
  /** How long a breaker stays open before a call may probe, in milliseconds. */
  readonly breakerOpenMs: number;
  /** The embedded analyst writes the verdict when the LLM cannot. */
  readonly llmFallback: boolean;
  readonly search: { readonly url: string; readonly apiKey: string | undefined } | undefined;
  readonly profilePath: string | undefined;
  readonly maxSessions: number;
  readonly sessionTimeoutMs: number;
  /** How long other instances take a session to be running here without hearing of it again. */
  readonly sessionLeaseMs: number;
  readonly heartbeatMs: number;
  readonly bodyLimitBytes: number;
  /** How long a reader may take for the last words of its stream, in milliseconds. */
  readonly lastWordsMs: number;
}

/** Reads and checks them; throws `SettingsError`. */
export function readFitCheckSettings(env: NodeJS.ProcessEnv = process.env): FitCheckSettings {
  return readSettings(env, readAll);
}

/** What `HEALTH_CRITICAL` may name; `redis` where none is configured is told when the checks are there. */
const CHECKS: readonly string[] = ['database', 'redis', 'disk', 'memory', 'event_loop', 'llm', 'search'];

function readAll(from: Reader): FitCheckSettings {
  // The library reads it; a name that no check can have would make nothing critical.
  from.parse('HEALTH_CRITICAL', undefined, parseChecks, `checks, comma-separated, of ${CHECKS.join(', ')}`);
  const time = { min: 10, max: 86_400_000, unit: 'milliseconds' };
  return {
    host: from.text('HOST') ?? '127.0.0.1',
    port: from.integer('PORT', 8000, { min: 0, max: 65535 }),
    allowedOrigins: from.parse(
      'ALLOWED_ORIGINS',
      [],
      parseOrigins,
      'comma-separated origins such as https://app.example.com, or *',
    ),
    revision: from.text('REVISION'),
    database: from.parse(
      'DATABASE_URL',
      DEFAULT_DATABASE,
      parseDatabase,
      'file:PATH (embedded SQLite) or postgres://USER:PASSWORD@HOST:PORT/NAME',
    ),
    redisUrl: from.parse('REDIS_URL', undefined, parseRedis, 'redis://HOST:PORT or rediss://HOST:PORT'),
    llmTimeoutMs: from.integer('LLM_TIMEOUT_MS', 20_000, time),
    searchTimeoutMs: from.integer('SEARCH_TIMEOUT_MS', 5000, time),
    breakerOpenMs: from.integer('BREAKER_OPEN_MS', 30_000, time),
    llmFallback: from.flag('LLM_FALLBACK', false),
    llm: readLlm(from),
    search: readSearch(from),
    profilePath: from.text('PROFILE_PATH'),
    maxSessions: from.integer('MAX_SESSIONS', 256, { min: 1, max: 100_000 }),
    sessionTimeoutMs: from.integer('SESSION_TIMEOUT_MS', 120_000, time),
    sessionLeaseMs: from.integer('SESSION_LEASE_MS', 15_000, { ...time, min: 1000 }),
    heartbeatMs: from.integer('HEARTBEAT_MS', 15_000, time),
    lastWordsMs: from.integer('LAST_WORDS_MS', 30_000, time),
    bodyLimitBytes: from.integer('BODY_LIMIT_BYTES', 1_048_576, { min: 1024, max: 1_073_741_824, unit: 'bytes' }),
  };
}

/** A stray key sends nothing out: the model must be named, and the key or the address be set beside it. */
function readLlm(from: Reader): LlmSettings {
  const model = from.text('LLM_MODEL');
  const apiKey = from.text('OPENAI_API_KEY');
  const baseUrl = from.url('OPENAI_BASE_URL', undefined);
  if (model !== undefined && (apiKey !== undefined || baseUrl !== undefined)) {
    return {
      kind: 'openai',
      model,
      apiKey,
      baseUrl,
      why: `LLM_MODEL and ${baseUrl === undefined ? 'OPENAI_API_KEY' : 'OPENAI_BASE_URL'} are set`,
    };
  }
  if (model !== undefined)
    return { kind: 'embedded', why: 'LLM_MODEL is set, but neither OPENAI_API_KEY nor OPENAI_BASE_URL' };
  const stray = apiKey === undefined ? (baseUrl === undefined ? undefined : 'OPENAI_BASE_URL') : 'OPENAI_API_KEY';
  return { kind: 'embedded', why: stray === undefined ? 'no LLM is set' : `${stray} is set, but not LLM_MODEL` };
}

function readSearch(from: Reader): FitCheckSettings['search'] {
  const url = from.parse(
    'SEARCH_URL',
    undefined,
    parseSearchUrl,
    'an http:// or https:// URL without user, password and query (SEARCH_API_KEY is sent as bearer)',
  );
  return url === undefined ? undefined : { url, apiKey: from.text('SEARCH_API_KEY') };
}

/** `fetch` refuses credentials in a URL, and what it then says would hold the whole of it. */
function parseSearchUrl(text: string): string | undefined {
  if (!isUrlOf(text, ['http:', 'https:'])) return undefined;
  const { username, password, search, hash } = new URL(text);
  return `${username}${password}${search}${hash}` === '' ? text : undefined;
}

const DEFAULT_DATABASE: DatabaseSettings = { kind: 'sqlite', path: './data/fit-check.db' };

function parseDatabase(text: string): DatabaseSettings | undefined {
  if (/^file:./.test(text)) return { kind: 'sqlite', path: text.slice('file:'.length).replace(/^\/\/(?=\/)/, '') };
  return isUrlOf(text, ['postgres:', 'postgresql:']) ? { kind: 'postgres', url: text } : undefined;
}

function parseRedis(text: string): string | undefined {
  return isUrlOf(text, ['redis:', 'rediss:']) ? text : undefined;
}

function isUrlOf(text: string, protocols: readonly string[]): boolean {
  return URL.canParse(text) && protocols.includes(new URL(text).protocol) && new URL(text).hostname !== '';
}

function parseChecks(text: string): string | undefined {
  const names = text.split(',').map((word) => word.trim());
  return names.every((name) => name === '' || CHECKS.includes(name)) ? text : undefined;
}

function parseOrigins(text: string): readonly string[] | undefined {
  const origins = text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  const usable = (origin: string): boolean =>
    origin === '*' || (URL.canParse(origin) && new URL(origin).origin === origin.replace(/\/$/, ''));
  return origins.length > 0 && origins.every(usable) ? origins.map((origin) => origin.replace(/\/$/, '')) : undefined;
}
