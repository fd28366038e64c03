/** A thousand requests in flight at once: no span, line or call is ever taken for another's. */
import { EventEmitter } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { beforeAll, describe, expect, test } from 'vitest';
import { fastifyOptions, observeFastify } from '../src/adapters/fastify.ts';
import { type Observability, observe } from '../src/observe.ts';
import { type LogLine, send, waitFor } from './behaviour/harness.ts';
import {
  CHUNKS,
  createRandom,
  EXPECTED,
  LINES,
  pause,
  SERVER,
  type Shared,
  STEPS,
  shuffle,
  tell,
  type Work,
  within,
} from './concurrency/steps.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from './otlp/receiver.ts';
import { seriesValue } from './signals.ts';

const REQUESTS = 1000;
/** More than Node's own: all come at once. */
const BACKLOG = 2 * REQUESTS;
/** Lines of Binnacle's own: the session's start, two phases with two each, the closing line. */
const OWN_LINES = 6;

interface Trace {
  readonly id: string;
  readonly root: ReceivedSpan;
  readonly byId: ReadonlyMap<string, ReceivedSpan>;
}

interface Seen {
  /** By marker. */
  readonly traces: readonly (Trace | undefined)[];
  readonly lines: readonly LogLine[];
  readonly bodies: readonly string[];
  /** What the upstream was sent, by marker. */
  readonly traceparents: ReadonlyMap<number, readonly string[]>;
  readonly spans: readonly ReceivedSpan[];
  readonly metrics: string;
  /** The most requests that were in hand together. */
  readonly together: number;
}

const MARKERS = Array.from({ length: REQUESTS }, (_, marker) => marker);
const ids = (marker: number) => ({ request: `r-${marker}`, session: `s-${marker}` });
/** Every other client has a trace of its own. */
const traceparentOf = (marker: number): { traceId: string; spanId: string } | undefined => {
  const hex = (length: number): string => (marker + 1).toString(16).padStart(6, '0').padStart(length, 'c');
  return marker % 2 === 0 ? { traceId: hex(32), spanId: hex(16) } : undefined;
};

/** More than a response takes at once: its reader goes on when the socket says so, in nobody's context. */
const pieceOf = (marker: number, at: number): string => `${marker}.${at};`.padEnd(20_000, '.');

let seen: Seen;
beforeAll(async () => {
  seen = await runAll();
});

describe(`${REQUESTS} requests at once`, () => {
  test('all of them were in hand together, and were answered whole', () => {
    expect(seen.together).toBe(REQUESTS);
    const whole = (marker: number): string => Array.from({ length: CHUNKS }, (_, at) => pieceOf(marker, at)).join('');
    expect(MARKERS.filter((marker) => seen.bodies[marker] !== whole(marker))).toEqual([]);
  });

  test('each has one trace, with every span under its right parent', () => {
    const wrong = MARKERS.filter((marker) => edgesOf(seen.traces[marker]) !== EXPECTED.join('\n'));
    expect(wrong.slice(0, 3).map((marker) => edgesOf(seen.traces[marker]))).toEqual([]);
    expect(new Set(seen.traces.map((one) => one?.id)).size).toBe(REQUESTS);
    expect(seen.spans).toHaveLength(REQUESTS * EXPECTED.length);
  });

  test("a client's own trace is gone on with", () => {
    const own = MARKERS.filter((marker) => traceparentOf(marker) !== undefined);
    expect(own).toHaveLength(REQUESTS / 2);
    for (const marker of own) {
      const { traceId, spanId } = traceparentOf(marker) ?? {};
      expect(seen.traces[marker]?.root).toMatchObject({ traceId, parentSpanId: spanId });
    }
    for (const one of seen.traces.filter((_, marker) => !own.includes(marker)))
      expect(one?.root.parentSpanId).toBeUndefined();
  });

  test("every span of a user's own, and every span of a session, is of the request whose trace it is in", () => {
    const wrong = seen.traces.flatMap((one, marker) =>
      [...(one?.byId.values() ?? [])].filter(({ name, attributes }) => {
        const session = name === 'arrived' ? undefined : ids(marker).session;
        return (attributes.marker ?? marker) !== marker || attributes['session.id'] !== session;
      }),
    );
    expect(wrong.slice(0, 3)).toEqual([]);
    const marked = seen.spans.filter(({ attributes }) => attributes.marker !== undefined);
    expect(marked).toHaveLength(REQUESTS * 15);
  });

  test("every line has its own request's ids, and those of the span that it was told in", () => {
    const told = seen.lines.filter((line) => line.marker !== undefined);
    expect(told.filter((line) => !isTrue(line)).slice(0, 3)).toEqual([]);
    const counts = countBy(told, (line) => String(line.marker));
    expect(MARKERS.filter((marker) => counts.get(String(marker)) !== LINES)).toEqual([]);
  });

  test("Binnacle's own lines too: none is lost, none is told twice", () => {
    const byRequest = countBy(seen.lines, (line) => String(line.request_id));
    expect(MARKERS.filter((marker) => byRequest.get(ids(marker).request) !== LINES + OWN_LINES)).toEqual([]);
    const wrong = seen.lines.filter(({ request_id, trace_id, session_id, marker }) => {
      if (request_id === undefined) return marker !== undefined || trace_id !== undefined;
      const owner = Number(String(request_id).slice(2));
      return trace_id !== seen.traces[owner]?.id || (session_id ?? ids(owner).session) !== ids(owner).session;
    });
    expect(wrong.slice(0, 3)).toEqual([]);
  });

  test('every call carried its own client span to where it went', () => {
    const wrong = MARKERS.filter((marker) => {
      const one = seen.traces[marker];
      const calls = [...(one?.byId.values() ?? [])].filter(({ name }) => name === 'GET');
      const sent = calls.map(({ spanId }) => `00-${one?.id}-${spanId}-01`).sort();
      return sent.join() !== [...(seen.traceparents.get(marker) ?? [])].sort().join();
    });
    expect(wrong).toEqual([]);
    expect(seen.traceparents.size).toBe(REQUESTS);
  });

  test('nothing was dropped, and no session or request is left over', () => {
    const counts = ['exported', 'dropped', 'failed'].map((result) => spansOf(seen.metrics, result));
    expect(counts).toEqual([REQUESTS * EXPECTED.length, 0, 0]);
    expect(seriesValue(seen.metrics, 'binnacle_log_lines_dropped_total')).toBe(0);
    expect(seriesValue(seen.metrics, 'active_sessions')).toBe(0);
    expect(seriesValue(seen.metrics, 'requests_total{status="success"}')).toBe(REQUESTS);
  });
});

/** Whether a line's ids are those of its marker, and its span the one that it says. */
function isTrue(line: LogLine): boolean {
  const marker = Number(line.marker);
  const one = seen.traces[marker];
  const { request, session } = ids(marker);
  return (
    line.request_id === request &&
    line.session_id === (line.within === 'arrived' ? undefined : session) &&
    line.trace_id === one?.id &&
    one?.byId.get(String(line.span_id))?.name === line.within
  );
}

/** `parent > child` of every span, `-` for what comes from outside or from nowhere. */
function edgesOf(one: Trace | undefined): string {
  const edges = [...(one?.byId.values() ?? [])].map(({ name, parentSpanId = '' }) => {
    const parent = one?.byId.get(parentSpanId)?.name;
    return `${parent ?? '-'} > ${name}`;
  });
  return edges.sort().join('\n');
}

function countBy<T>(list: readonly T[], keyOf: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of list) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}

async function runAll(): Promise<Seen> {
  const receiver = await startOtlpReceiver();
  const lines: LogLine[] = [];
  const obs = observe({
    service: 'svc',
    destination: { write: (line) => void lines.push(JSON.parse(line)) },
    env: environmentOf(receiver),
    // The test's own client is `node:http`; the requests ask by `fetch`.
    clients: ['fetch'],
  });
  const upstream = await startUpstream();
  const bus = new EventEmitter().setMaxListeners(REQUESTS);
  const ticking = setInterval(() => bus.emit('tick'), 2);
  const works = new Map<number, Work>();
  const cache = obs.cache('things', {
    get: (key: string) => within(works.get(Number(key)) as Work, 'stored', async () => undefined),
    set: () => {},
  });
  const shared = { obs, breaker: obs.breaker('llm'), cache, bus, upstream: upstream.url };
  const crowd = createCrowd();
  const app = await startApp(shared, works, crowd);
  const bodies = await askAll(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}`);
  const metrics = await whenExported(obs);
  clearInterval(ticking);
  await app.close();
  await obs.close();
  await upstream.close();
  await receiver.close();
  const { spans } = receiver;
  return { ...upstream, spans, lines, bodies, metrics, traces: tracesOf(spans, lines), together: crowd.together };
}

/** What is told of the spans once all have left: a batch counts when its answer has come. */
function whenExported(obs: Observability): Promise<string> {
  return waitFor(async () => {
    let text = '';
    for await (const chunk of obs.scrape().body) text += chunk;
    const left = ['exported', 'dropped', 'failed'].map((result) => spansOf(text, result) ?? 0);
    expect(left.reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(REQUESTS * EXPECTED.length);
    return text;
  });
}

function spansOf(metrics: string, result: string): number | undefined {
  return seriesValue(metrics, `binnacle_spans_total{result="${result}"}`);
}

function environmentOf(receiver: OtlpReceiver): Record<string, string> {
  return {
    ENVIRONMENT: 'test',
    LOG_FORMAT: 'json',
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_BSP_SCHEDULE_DELAY: '50',
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '4000',
    // Whatever comes at once has room.
    OTEL_BSP_MAX_QUEUE_SIZE: String(REQUESTS * EXPECTED.length),
  };
}

/** Holds each until all are there: let on from the last one's context, they are each to go on in their own. */
function createCrowd(): { readonly together: number; join(): Promise<void> } {
  const waiting: (() => void)[] = [];
  return {
    get together() {
      return waiting.length;
    },
    join: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        if (waiting.length === REQUESTS) for (const letOn of waiting) letOn();
      }),
  };
}

async function startApp(
  shared: Shared,
  works: Map<number, Work>,
  crowd: { join(): Promise<void> },
): Promise<FastifyInstance> {
  const { obs } = shared;
  const app = Fastify(fastifyOptions(obs)) as unknown as FastifyInstance;
  await app.register(observeFastify(obs));
  app.get('/jobs/:marker', async (request, reply) => {
    const marker = Number((request.params as { marker: string }).marker);
    const work: Work = { ...shared, marker, random: createRandom(marker) };
    works.set(marker, work);
    await within(work, 'arrived', () => crowd.join());
    return obs.session({ id: ids(marker).session }, async (session) => {
      await session.phase('outer', async () => {
        await within(work, 'before', () => pause(work));
        await session.phase('inner', () => takeSteps(work));
      });
      return answer(work, reply);
    });
  });
  await app.listen({ port: 0, host: '127.0.0.1', backlog: BACKLOG });
  return app;
}

async function takeSteps(work: Work): Promise<void> {
  for (const [name, step] of shuffle(Object.entries(STEPS), work.random)) {
    await within(work, name, () => step(work));
    await pause(work);
  }
}

/** In turns by a stream that the framework reads, and by writing to Node's own response. */
async function answer(work: Work, reply: FastifyReply): Promise<unknown> {
  const pieces = async function* (): AsyncGenerator<string> {
    await within(work, 'answer', () => pause(work));
    for (let at = 0; at < CHUNKS; at += 1) {
      await pause(work);
      // A generator goes on in the context of whoever reads it: that is the request's, not a span's within it.
      tell(work, SERVER);
      yield pieceOf(work.marker, at);
    }
  };
  if (work.marker % 4 < 2) return reply.send(Readable.from(pieces()));
  reply.hijack();
  for await (const piece of pieces()) reply.raw.write(piece);
  reply.raw.end();
  return reply;
}

interface Upstream {
  readonly url: string;
  readonly traceparents: ReadonlyMap<number, readonly string[]>;
  close(): Promise<void>;
}

/** Answers in pieces, and keeps what it was sent. */
async function startUpstream(): Promise<Upstream> {
  const traceparents = new Map<number, string[]>();
  const server: Server = createServer((req, res) => {
    const marker = Number(new URL(req.url ?? '/', 'http://localhost').searchParams.get('marker'));
    traceparents.set(marker, [...(traceparents.get(marker) ?? []), String(req.headers.traceparent)]);
    res.write('one');
    setImmediate(() => setImmediate(() => res.end('two')));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', BACKLOG, resolve));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, traceparents, close };
}

async function askAll(url: string): Promise<string[]> {
  const answers = MARKERS.map((marker) => {
    const { traceId, spanId } = traceparentOf(marker) ?? {};
    const headers: Record<string, string> = { 'x-request-id': ids(marker).request };
    if (traceId !== undefined) headers.traceparent = `00-${traceId}-${spanId}-01`;
    return send(`${url}/jobs/${marker}`, { headers });
  });
  return (await Promise.all(answers)).map(({ body }) => body);
}

/** Which trace is whose is what the closing line says. */
function tracesOf(spans: readonly ReceivedSpan[], lines: readonly LogLine[]): (Trace | undefined)[] {
  const byTrace = new Map<string, Map<string, ReceivedSpan>>();
  for (const span of spans) byTrace.set(span.traceId, (byTrace.get(span.traceId) ?? new Map()).set(span.spanId, span));
  const owners = new Map(
    lines
      .filter(({ message }) => message.endsWith('Request completed'))
      .map(({ request_id, trace_id }) => [request_id, String(trace_id)]),
  );
  return MARKERS.map((marker) => {
    const id = owners.get(ids(marker).request) ?? '';
    const byId = byTrace.get(id) ?? new Map<string, ReceivedSpan>();
    const root = [...byId.values()].find(({ kind }) => kind === 2);
    return root && { id, root, byId };
  });
}
