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

export interface FitCheckSettings {
  readonly host: string;
  readonly port: number;
  readonly allowedOrigins: readonly string[];
  /** Path of the SQLite file. */
  readonly databasePath: string;
  readonly llm: LlmSettings;
  readonly search: { readonly url: string; readonly apiKey: string | undefined } | undefined;
  readonly profilePath: string | undefined;
  readonly maxSessions: number;
  readonly sessionTimeoutMs: number;
  readonly heartbeatMs: number;
  readonly bodyLimitBytes: number;
}

/** Reads and checks them; throws `SettingsError`. */
export function readFitCheckSettings(env: NodeJS.ProcessEnv = process.env): FitCheckSettings {
  return readSettings(env, (from) => {
    from.parse('REDIS_URL', undefined, () => undefined, 'none yet: this version caches in the process');
    return readAll(from);
  });
}

function readAll(from: Reader): FitCheckSettings {
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
    databasePath: from.parse('DATABASE_URL', './data/fit-check.db', parseDatabase, 'file:PATH (embedded SQLite)'),
    llm: readLlm(from),
    search: readSearch(from),
    profilePath: from.text('PROFILE_PATH'),
    maxSessions: from.integer('MAX_SESSIONS', 256, { min: 1, max: 100_000 }),
    sessionTimeoutMs: from.integer('SESSION_TIMEOUT_MS', 120_000, time),
    heartbeatMs: from.integer('HEARTBEAT_MS', 15_000, time),
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
  const url = from.url('SEARCH_URL', undefined);
  return url === undefined ? undefined : { url, apiKey: from.text('SEARCH_API_KEY') };
}

function parseDatabase(text: string): string | undefined {
  return /^file:./.test(text) ? text.slice('file:'.length).replace(/^\/\/(?=\/)/, '') : undefined;
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
