/** Spans for who looks on: every sampled one, once, whatever exports them. */
import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, describe, expect, test } from 'vitest';
import { type BareSpan, decodeSpan } from '../console/otlp-spans.ts';
import type { KeepReason } from '../settings-otel.ts';
import type { EndedRequest, RequestKind, SpanOwner } from '../signals.ts';
import { watchHost } from './host-watch.ts';
import { messageIn, type SpanWatch } from './span-watch.ts';
import { startReceiver } from './testing-otlp.test-helper.ts';
import { createMemoryFaults, createMemoryRecorder, otelSettings } from './testing-spans.test-helper.ts';
import { createTraces, type Traces } from './tracer.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  for (const api of [trace, context, propagation]) api.disable();
});

interface Seen extends BareSpan {
  readonly scope: string;
}

function setUp(env: Record<string, string> = {}, reasons: readonly KeepReason[] = []) {
  const seen: Seen[] = [];
  let leftOut = 0;
  const watch: SpanWatch = {
    encoded: (message, scope) => void seen.push({ ...decodeSpan(message), scope }),
    leftOut: () => {
      leftOut += 1;
    },
  };
  const recorder = createMemoryRecorder();
  const { faults, write } = createMemoryFaults();
  const traces: Traces = createTraces({
    settings: otelSettings(env),
    service: 'svc',
    version: '1',
    environment: 'test',
    faults,
    recorder,
    log: write,
    watch,
    keep: {
      settings: { reasons, slowMs: 1000 },
      recorder: { kept: () => {}, span: () => {}, letGo: () => {}, cut: () => {} },
    },
  });
  closers.push(() => traces.close(100));
  return { traces, seen, recorder, leftOut: () => leftOut };
}

const KIND: RequestKind = {
  method: 'GET',
  scheme: 'http',
  protocol: '1.1',
  route: '/items/:id',
  isMatched: true,
  sentStatus: 200,
  httpStatus: 200,
  outcome: 'success',
  errorType: '',
};
const ENDED: EndedRequest = {
  request: { requestId: 'r1' },
  path: '/items/7',
  ids: undefined,
  durationMs: 12.5,
  firstByteMs: 2.5,
  requestBytes: 0,
  responseBytes: 3,
  streamEvents: undefined,
  longestGapMs: undefined,
};
const OWNER: SpanOwner = { spanName: () => 'GET /items/:id', spanAttributes: () => ({ 'url.path': '/items/7' }) };

/** A request as bytes, where that is how it is done, else as a span; and one span within it. */
function serve({ spans }: Traces): void {
  if (spans.requests === undefined) {
    const span = spans.start('GET /items/:id', SpanKind.SERVER, { 'url.path': '/items/7' }, ROOT_CONTEXT);
    spans.start('work', SpanKind.INTERNAL, { a: [1, 2] }, trace.setSpan(ROOT_CONTEXT, span)).end();
    span.end();
    return;
  }
  const span = spans.requests.begin(ROOT_CONTEXT, OWNER);
  const within = spans.start('work', SpanKind.INTERNAL, { a: [1, 2] }, span.context);
  within.setStatus({ code: SpanStatusCode.ERROR, message: 'no' }).end();
  if (span.settle(ENDED.durationMs)) spans.requests.write(spans.requests.compile(KIND), span, ENDED);
}

/** What is served, and a span of the host's own. */
const THREE = [
  ['work', 'binnacle'],
  ['GET /items/:id', 'binnacle'],
  ['own', 'theirs'],
];
const NOWHERE = 'http://127.0.0.1:9/v1/traces';

describe.each([
  ['nothing is exported', {}],
  ['protobuf is', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: NOWHERE }],
  ['JSON is', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: NOWHERE, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }],
  ['spans are lines', { OTEL_TRACES_EXPORTER: 'console' }],
])('where %s', (_, env) => {
  test('each span is shown once, as its scope has it', () => {
    const { traces, seen } = setUp(env as Record<string, string>);
    serve(traces);
    trace.getTracer('theirs').startSpan('own').end();
    expect(seen.map(({ name, scope }) => [name, scope])).toEqual(THREE);
    const [work, request] = seen;
    expect(work).toMatchObject({ parentSpanId: request?.spanId, traceId: request?.traceId, attributes: { a: [1, 2] } });
    expect(request).toMatchObject({ kind: 'server', attributes: { 'url.path': '/items/7' } });
    expect(request?.parentSpanId).toBeUndefined();
  });

  test('none that was not sampled is', () => {
    const { traces, seen } = setUp({ ...env, OTEL_TRACES_SAMPLER: 'always_off' });
    serve(traces);
    expect(seen).toEqual([]);
  });

  test('a span that is too large is none, and is told of', () => {
    const { traces, seen, leftOut } = setUp(env as Record<string, string>);
    const huge = 'x'.repeat(2 * 1024 * 1024);
    traces.spans.start('huge', SpanKind.INTERNAL, { huge }, ROOT_CONTEXT).end();
    traces.spans.start('small', SpanKind.INTERNAL, {}, ROOT_CONTEXT).end();
    expect([seen.map(({ name }) => name), leftOut()]).toEqual([['small'], 1]);
  });
});

test('what is exported is the same as without: each span once', async () => {
  const receiver = await startReceiver();
  closers.push(() => receiver.close());
  const { traces, seen } = setUp({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: receiver.url });
  for (let index = 0; index < 700; index += 1) serve(traces);
  await traces.flush();
  expect(receiver.spans).toHaveLength(1400);
  expect(receiver.spans.map(({ spanId }) => spanId).sort()).toEqual(seen.map(({ spanId }) => spanId).sort());
});

test('a queue that is full loses nothing of what is shown, and counts what it drops as ever', () => {
  const { traces, seen, recorder } = setUp({
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: NOWHERE,
    OTEL_BSP_MAX_QUEUE_SIZE: '3',
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '3',
  });
  for (let index = 0; index < 10; index += 1) serve(traces);
  expect(seen).toHaveLength(20);
  expect(new Set(seen.map(({ spanId }) => spanId)).size).toBe(20);
  expect(recorder.counts.dropped).toBe(17);
  expect(traces.queue?.size).toBe(3);
  expect(traces.queue?.bytes).toBeGreaterThan(100);
});

test('of what was not sampled that is shown which is kept', () => {
  const { traces, seen } = setUp({ OTEL_TRACES_SAMPLER: 'always_off' }, ['error']);
  for (const code of [SpanStatusCode.OK, SpanStatusCode.ERROR]) {
    const root = traces.spans.start(`root ${code}`, SpanKind.SERVER, {}, ROOT_CONTEXT);
    traces.spans.start(`within ${code}`, SpanKind.INTERNAL, {}, trace.setSpan(ROOT_CONTEXT, root)).end();
    root.setStatus({ code }).end();
  }
  expect(seen.map(({ name }) => name)).toEqual(['within 2', 'root 2']);
  expect(seen[0]?.attributes).toEqual({ 'binnacle.kept': 'error' });
});

test('after the close spans are shown for as long as they come', async () => {
  const { traces, seen } = setUp({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: NOWHERE });
  await traces.close(1);
  serve(traces);
  expect(seen.map(({ name }) => name)).toEqual(['work', 'GET /items/:id']);
});

describe("a host's own SDK", () => {
  test('shows its spans too, to the close, and keeps what it had', async () => {
    const exporter = new InMemorySpanExporter();
    const processors = [new SimpleSpanProcessor({ exporter })];
    const host = new TracerProvider({ spanProcessors: processors });
    trace.setGlobalTracerProvider(host);
    const { traces, seen } = setUp();
    expect(traces.spans.hosted).toBe(true);
    serve(traces);
    host.getTracer('theirs').startSpan('own').end();
    expect(seen.map(({ name, scope }) => [name, scope])).toEqual(THREE);
    expect(exporter.getFinishedSpans()).toHaveLength(3);
    expect(processors).toHaveLength(1);
    await traces.close(100);
    host.getTracer('theirs').startSpan('later').end();
    expect(seen).toHaveLength(3);
    expect(exporter.getFinishedSpans()).toHaveLength(4);
  });

  const others: readonly (readonly [string, object])[] = [
    ['another SDK', { getTracer() {} }],
    ['one whose list is elsewhere', { getTracer() {}, _activeSpanProcessor: {} }],
    ['SDK 1', { getTracer() {}, addSpanProcessor() {}, _activeSpanProcessor: { _spanProcessors: [] as unknown[] } }],
  ];
  test.each(others)('%s is left as it is', (_, provider) => {
    const before = JSON.stringify(provider);
    watchHost(provider as never, new SimpleSpanProcessor({ exporter: new InMemorySpanExporter() }))();
    expect(JSON.stringify(provider)).toBe(before);
  });
});

test('a message is found behind the length of its field, however long that is', () => {
  for (const size of [0, 1, 127, 128, 16_383, 16_384, 300_000]) {
    const length: number[] = [];
    for (let rest = size; ; rest = Math.floor(rest / 128)) {
      length.push(rest > 127 ? (rest % 128) | 128 : rest);
      if (rest <= 127) break;
    }
    const bytes = Buffer.concat([Buffer.from([9, 9, 0x12, ...length]), Buffer.alloc(size, 7), Buffer.from([9])]);
    const message = messageIn(bytes, 2, bytes.length - 1);
    expect([message.length, message.every((byte) => byte === 7)]).toEqual([size, true]);
  }
});
