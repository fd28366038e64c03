/**
 * What each variable means that `settings.ts` reads beside the library's. The reference (`npm run docs`) is made of it,
 * and a test holds it against what is read.
 */

/** As the library's table has it. */
interface Variable {
  readonly name: string;
  readonly default?: string;
  readonly otherwise?: string;
  readonly meaning: string;
}

export const variables: readonly Variable[] = [
  { name: 'HOST', default: '127.0.0.1', meaning: 'The address that it listens on; the image sets `0.0.0.0`.' },
  { name: 'PORT', default: '8000', meaning: 'The port; 0 takes any free one.' },
  { name: 'ALLOWED_ORIGINS', meaning: 'Origins whose pages may ask (CORS); none where it is not set.' },
  { name: 'REVISION', meaning: 'What was built, for `build_info`; the image sets it.' },
  {
    name: 'DATABASE_URL',
    default: 'file:./data/fit-check.db',
    meaning: 'Where sessions are stored: embedded SQLite or PostgreSQL.',
  },
  { name: 'REDIS_URL', otherwise: 'a cache in the process', meaning: 'Redis or Valkey, for the cache.' },
  {
    name: 'LLM_MODEL',
    otherwise: 'the embedded analyst',
    meaning: 'The model that writes the verdict; used where one of the next two is set as well.',
  },
  { name: 'OPENAI_API_KEY', meaning: 'The key of the endpoint. Alone it sends nothing out.' },
  {
    name: 'OPENAI_BASE_URL',
    otherwise: "OpenAI's",
    meaning: 'Any endpoint that speaks OpenAI Chat Completions, streamed.',
  },
  { name: 'LLM_TIMEOUT_MS', default: '20000', meaning: 'How long the LLM may be silent, before and in its answer.' },
  { name: 'LLM_FALLBACK', default: 'false', meaning: 'The embedded analyst writes the verdict when the LLM cannot.' },
  { name: 'SEARCH_URL', otherwise: 'the embedded corpus', meaning: 'A SearXNG whose JSON is asked.' },
  { name: 'SEARCH_API_KEY', meaning: 'Sent as bearer to `SEARCH_URL`.' },
  { name: 'SEARCH_TIMEOUT_MS', default: '5000', meaning: 'How long a search may take.' },
  { name: 'BREAKER_OPEN_MS', default: '30000', meaning: 'How long a breaker stays open before a call may probe.' },
  { name: 'PROFILE_PATH', otherwise: 'the sample profile', meaning: 'A JSON Resume file (https://jsonresume.org).' },
  { name: 'MAX_SESSIONS', default: '256', meaning: 'Sessions at once; more are refused with 503.' },
  { name: 'SESSION_TIMEOUT_MS', default: '120000', meaning: 'How long a session may take.' },
  {
    name: 'SESSION_LEASE_MS',
    default: '15000',
    meaning: 'How long other instances take a session to be running here without hearing of it again.',
  },
  { name: 'HEARTBEAT_MS', default: '15000', meaning: 'The time between comments in a silent stream.' },
  {
    name: 'LAST_WORDS_MS',
    default: '30000',
    meaning: 'How long a reader may take for the last words of its stream.',
  },
  { name: 'BODY_LIMIT_BYTES', default: '1048576', meaning: 'The largest body of a request; more is 413.' },
  {
    name: 'HEALTH_CRITICAL',
    default: 'database,disk',
    meaning: "The library's; a name that no check here can have stops the start.",
  },
];
