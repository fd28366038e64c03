/** What a service like fit-check tells of its requests: spans, log lines, chunks. */
import type { Attributes, ChunkTimes, LogRecord, SpanRecord } from '../model/wire.ts';
import { type Chance, chance } from './random.ts';

export const SERVICE = 'fit-check';

export interface SampleRequest {
  readonly spans: SpanRecord[];
  /** Without their numbers, which the store gives. */
  readonly lines: Omit<LogRecord, 'seq'>[];
  readonly chunks: ChunkTimes[];
}

type Ending = 'success' | 'error' | 'timeout' | 'cancelled';

interface Builder {
  readonly traceId: string;
  readonly requestId: string;
  readonly sessionId: string;
  readonly spans: SpanRecord[];
  readonly lines: Omit<LogRecord, 'seq'>[];
  readonly chunks: ChunkTimes[];
  readonly dice: Chance;
}

function begin(seed: number): Builder {
  const dice = chance(seed);
  const uuid = `${dice.hex(8)}-${dice.hex(4)}-4${dice.hex(3)}-a${dice.hex(3)}-${dice.hex(12)}`;
  return {
    traceId: dice.hex(32),
    requestId: uuid,
    sessionId: `s-${dice.hex(8)}`,
    spans: [],
    lines: [],
    chunks: [],
    dice,
  };
}

interface SpanWords extends Partial<Pick<SpanRecord, 'kind' | 'status' | 'statusMessage' | 'events' | 'links'>> {
  readonly parent?: string;
  readonly attributes?: Attributes;
}

/** @returns the span's id */
function span(
  { traceId, spans, dice, sessionId }: Builder,
  name: string,
  start: number,
  duration: number,
  words: SpanWords = {},
): string {
  const spanId = dice.hex(16);
  const { parent, attributes = {}, kind = 'internal', status = 'unset', ...others } = words;
  spans.push({
    traceId,
    spanId,
    ...(parent === undefined ? {} : { parentSpanId: parent }),
    name,
    kind,
    start,
    duration,
    status,
    attributes: { 'session.id': sessionId, ...attributes },
    service: SERVICE,
    scope: 'binnacle',
    ...others,
  });
  return spanId;
}

function say(
  { lines, traceId, requestId, sessionId }: Builder,
  time: number,
  message: string,
  words: Partial<Omit<LogRecord, 'fields'>> & { readonly fields?: Attributes; readonly in?: string } = {},
): void {
  const { level = 'INFO', logger = SERVICE, fields = {}, in: spanId } = words;
  lines.push({
    time,
    level,
    logger,
    message,
    traceId,
    ...(spanId === undefined ? {} : { spanId }),
    service: SERVICE,
    fields: { request_id: requestId, session_id: sessionId, ip: '127.0.0.1', ...fields },
  });
}

const MODELS = [
  { model: 'gpt-4.1-mini', provider: 'openai', perToken: 9, dollars: 1.6e-6 },
  { model: 'claude-sonnet-4-5', provider: 'anthropic', perToken: 13, dollars: 15e-6 },
  { model: 'embedded-analyst', provider: 'embedded', perToken: 1.4, dollars: 0 },
] as const;
const PHASES = ['connecting', 'deep_research', 'skills_matching', 'gap_analysis'] as const;
const PHASE_MS: Readonly<Record<string, readonly [number, number]>> = {
  connecting: [4, 14],
  deep_research: [60, 420],
  skills_matching: [18, 70],
  gap_analysis: [9, 40],
};

/** A streamed analysis: phases, caches, a search behind a breaker, a model. */
export function streamRequest(seed: number, start: number, ending: Ending = 'success'): SampleRequest {
  const b = begin(seed);
  const { dice } = b;
  const root = dice.hex(16);
  let now = start + 1.2;
  const store = (name: string): void => {
    const took = dice.between(0.8, 2.6);
    span(b, `${name} sessions`, now, took, { parent: root, kind: 'client', attributes: database(name) });
    now += took + 0.3;
  };
  say(b, start + 1, `[${b.sessionId}] Request started`, {
    in: root,
    fields: { query_length: Math.floor(dice.between(6, 900)) },
  });
  store('INSERT');
  for (const phase of PHASES) now = addPhase(b, root, phase, now);
  now = addVerdict(b, root, now, ending);
  if (ending === 'success') store('UPDATE');
  const duration = now - start;
  const status = { success: 200, error: 200, timeout: 200, cancelled: 499 }[ending];
  const errorType = { success: undefined, error: 'stream_error', timeout: 'timeout', cancelled: 'client_disconnect' }[
    ending
  ];
  const first = dice.between(3, 7);
  b.spans.push({
    traceId: b.traceId,
    spanId: root,
    name: 'POST /api/fit-check/stream',
    kind: 'server',
    start,
    duration,
    status: ending === 'error' || ending === 'timeout' ? 'error' : 'unset',
    attributes: {
      'http.request.method': 'POST',
      'http.route': '/api/fit-check/stream',
      'http.response.status_code': status === 499 ? 200 : status,
      'url.scheme': 'http',
      'url.path': '/api/fit-check/stream',
      'network.protocol.version': '1.1',
      'client.address': '127.0.0.1',
      'session.id': b.sessionId,
      ...(errorType === undefined ? {} : { 'error.type': errorType }),
    },
    events: [{ name: 'first_byte', time: start + first, attributes: {} }],
    service: SERVICE,
    scope: 'binnacle',
  });
  say(b, now, `[${b.sessionId}] Request completed`, {
    in: root,
    level: { success: 'INFO', error: 'ERROR', timeout: 'WARNING', cancelled: 'INFO' }[ending] as LogRecord['level'],
    fields: {
      duration_ms: round(duration),
      status: ending,
      http_status: status,
      method: 'POST',
      route: '/api/fit-check/stream',
      first_byte_ms: round(first),
      response_bytes: Math.floor(dice.between(8_000, 26_000)),
      stream_events: Math.floor(dice.between(40, 160)),
      ...(errorType === undefined ? {} : { error_type: errorType }),
    },
  });
  return b;
}

const round = (ms: number): number => Math.round(ms * 1000) / 1000;

function database(operation: string): Attributes {
  return {
    'db.system.name': 'postgresql',
    'db.operation.name': operation,
    'db.collection.name': 'sessions',
    'db.namespace': 'fit_check',
    'server.address': 'localhost',
    'server.port': 5432,
  };
}

function addPhase(b: Builder, root: string, phase: string, start: number): number {
  const { dice } = b;
  const [low, high] = PHASE_MS[phase] ?? [5, 20];
  const took = dice.between(low, high);
  const id = span(b, `phase ${phase}`, start, took, { parent: root, attributes: { 'binnacle.phase': phase } });
  say(b, start + 0.1, `[${b.sessionId}] Phase started: ${phase}`, { level: 'DEBUG', in: id, fields: { phase } });
  if (phase === 'connecting') {
    const cache = span(b, 'cache analysis', start + 0.4, took * 0.6, {
      parent: id,
      attributes: { 'binnacle.cache.name': 'analysis', 'binnacle.cache.result': 'miss' },
    });
    span(b, 'GET 1', start + 0.6, took * 0.45, { parent: cache, kind: 'client', attributes: redis });
  }
  if (phase === 'deep_research') {
    const breaker = span(b, 'breaker search', start + 1, took * 0.92, {
      parent: id,
      attributes: {
        'binnacle.breaker.name': 'search',
        'binnacle.breaker.state': 'closed',
        'binnacle.breaker.outcome': 'success',
      },
    });
    for (const share of [0.02, 0.3, 0.55]) {
      span(b, 'GET', start + 1 + took * share, took * 0.3, {
        parent: breaker,
        kind: 'client',
        attributes: {
          'http.request.method': 'GET',
          'http.response.status_code': 200,
          'url.full': 'http://searx.internal:8080/search',
          'server.address': 'searx.internal',
          'server.port': 8080,
        },
      });
    }
  }
  const end = start + took;
  say(b, end, `[${b.sessionId}] Phase completed: ${phase} (${(took / 1000).toFixed(2)}s)`, {
    in: id,
    fields: { phase, duration_ms: round(took) },
  });
  return end + 0.4;
}

const redis: Attributes = {
  'db.system.name': 'redis',
  'db.operation.name': 'GET',
  'server.address': 'localhost',
  'server.port': 6379,
};

function addVerdict(b: Builder, root: string, start: number, ending: Ending): number {
  const { dice } = b;
  const { model, provider, perToken, dollars } = dice.pick(MODELS);
  const output = Math.floor(dice.between(180, 620));
  const input = Math.floor(dice.between(900, 3400));
  const first = dice.between(180, 720) * (provider === 'embedded' ? 0.1 : 1);
  const part = ending === 'success' ? 1 : 0.45;
  const took = first + output * perToken * dice.between(0.8, 1.35) * part;
  const failed = ending === 'error' || ending === 'timeout';
  const errorType = { success: undefined, error: 'RateLimitError', timeout: 'timeout', cancelled: 'cancelled' }[ending];
  const more = { status: failed ? ('error' as const) : ('unset' as const) };
  const attributes: Attributes = errorType === undefined ? {} : { 'error.type': errorType };
  const id = span(b, 'phase verdict', start, took + 2.2, {
    parent: root,
    ...more,
    attributes: { 'binnacle.phase': 'verdict', ...attributes },
  });
  const breaker = span(b, 'breaker llm', start + 0.6, took + 1.2, {
    parent: id,
    ...more,
    attributes: {
      'binnacle.breaker.name': 'llm',
      'binnacle.breaker.state': 'closed',
      'binnacle.breaker.outcome': failed ? 'failure' : 'success',
      ...attributes,
    },
  });
  const usage: Attributes =
    ending === 'success' ? { 'gen_ai.usage.input_tokens': input, 'gen_ai.usage.output_tokens': output } : {};
  const ai = span(b, `chat ${model}`, start + 1, took, {
    parent: breaker,
    kind: provider === 'embedded' ? 'internal' : 'client',
    ...more,
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': provider,
      'gen_ai.request.model': model,
      'gen_ai.response.model': model,
      'gen_ai.request.stream': true,
      'gen_ai.request.temperature': 0.2,
      'gen_ai.conversation.id': b.sessionId,
      'gen_ai.response.time_to_first_chunk': first / 1000,
      ...(ending === 'success' ? { 'gen_ai.response.finish_reasons': [dice.next() < 0.9 ? 'stop' : 'length'] } : {}),
      ...(dollars === 0 || ending !== 'success'
        ? {}
        : { 'binnacle.ai.cost_usd': round(input * dollars * 0.2 + output * dollars) }),
      ...usage,
      ...attributes,
    },
  });
  b.chunks.push({ traceId: b.traceId, spanId: ai, times: chunkTimes(dice, first, took, output * part) });
  if (failed) {
    say(b, start + took, `The model's stream ended early: ${errorType}`, {
      level: 'ERROR',
      logger: 'fit_check.llm',
      in: ai,
      fields: {
        phase: 'verdict',
        exception: {
          type: errorType ?? 'Error',
          message: 'rate limit reached for requests',
          stack: `${errorType}: rate limit reached for requests\n    at streamChat (file:///app/dist/llm/provider.js:118:13)\n    at async verdict (file:///app/dist/analysis.js:86:20)`,
        },
      },
    });
  } else if (ending === 'success') {
    say(b, start + took + 2, `[${b.sessionId}] Phase completed: verdict (${(took / 1000).toFixed(2)}s)`, {
      in: id,
      fields: { phase: 'verdict', duration_ms: round(took + 2.2) },
    });
  }
  return start + took + 2.6;
}

function chunkTimes(dice: Chance, first: number, last: number, tokens: number): number[] {
  const wanted = Math.max(8, Math.floor(tokens / 3));
  const pause = dice.next() < 0.4 ? Math.floor(wanted * dice.between(0.3, 0.7)) : -1;
  const gaps = Array.from({ length: wanted - 1 }, (_, at) => dice.between(0.4, 1.6) * (at === pause ? wanted / 5 : 1));
  const scale = (last - first - 4) / gaps.reduce((sum, gap) => sum + gap, 0);
  let now = first;
  return [first, ...gaps.map((gap) => (now += gap * scale))];
}

/** A short one: a stored analysis is read. */
export function readRequest(seed: number, start: number, found = true): SampleRequest {
  const b = begin(seed);
  const { dice } = b;
  const duration = dice.between(1.8, 9);
  const root = span(b, 'GET /api/fit-check/sessions/:id', start, duration, {
    kind: 'server',
    attributes: {
      'http.request.method': 'GET',
      'http.route': '/api/fit-check/sessions/:id',
      'http.response.status_code': found ? 200 : 404,
      'url.scheme': 'http',
      'url.path': '/api/fit-check/sessions/…',
    },
  });
  span(b, 'SELECT sessions', start + 0.5, duration * 0.6, {
    parent: root,
    kind: 'client',
    attributes: database('SELECT'),
  });
  say(b, start + duration, 'Request completed', {
    in: root,
    fields: {
      duration_ms: round(duration),
      status: 'success',
      http_status: found ? 200 : 404,
      method: 'GET',
      route: '/api/fit-check/sessions/:id',
    },
  });
  return b;
}
