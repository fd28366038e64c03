import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Context,
  type ContextManager,
  context,
  defaultTextMapSetter,
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import {
  BatchSpanProcessor,
  InMemorySpanExporter,
  ParentBasedSampler,
  SimpleSpanProcessor,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { activeContext, contextManager, runWith } from '../context.ts';
import { startReceiver } from './testing-otlp.test-helper.ts';
import { createMemoryFaults, createMemoryRecorder, otelSettings } from './testing-spans.test-helper.ts';
import { createTraces, type Traces } from './tracer.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const GOOD = `00-${TRACE}-b7ad6b7169203331-01`;

const UNSAMPLED = GOOD.replace(/01$/, '00');

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  for (const api of [trace, context, propagation]) api.disable();
});

function setUp(env: Record<string, string> = {}, exporter?: SpanExporter) {
  const recorder = createMemoryRecorder();
  const { faults, write, lines } = createMemoryFaults();
  const traces: Traces = createTraces({
    settings: otelSettings(env),
    service: 'fit-check',
    version: '1.2.3',
    environment: 'test',
    faults,
    recorder,
    log: write,
    ...(exporter && { exporter }),
  });
  closers.push(() => traces.close(100));
  return { traces, recorder, lines };
}

const start = ({ spans }: Traces, parent = ROOT_CONTEXT) => spans.start('GET', SpanKind.SERVER, { a: 1 }, parent);

function injected(active = context.active()): Record<string, string> {
  const headers: Record<string, string> = {};
  propagation.inject(active, headers, defaultTextMapSetter);
  return headers;
}

describe('spans arrive over OTLP', () => {
  test('with resource, parent, kind, attributes and status', async () => {
    const receiver = await startReceiver();
    closers.push(() => receiver.close());
    const { traces, recorder } = setUp({
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: receiver.url,
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=staging,team=a,service.name=ignored,telemetry.sdk.name=x',
    });
    const root = start(traces);
    const child = traces.spans.start('phase', SpanKind.INTERNAL, {}, trace.setSpan(ROOT_CONTEXT, root));
    child.setStatus({ code: SpanStatusCode.ERROR }).end();
    root.end();
    await traces.flush();
    const [sentChild, sentRoot] = receiver.spans;
    expect(sentRoot).toMatchObject({
      name: 'GET',
      kind: SpanKind.SERVER + 1,
      attributes: { a: 1 },
      parentSpanId: '',
      scope: 'binnacle',
      resource: {
        'service.name': 'fit-check',
        'service.version': '1.2.3',
        'service.instance.id': traces.instanceId,
        'deployment.environment.name': 'staging',
        team: 'a',
        'telemetry.sdk.name': 'opentelemetry',
        'telemetry.sdk.language': 'nodejs',
      },
    });
    expect(sentChild).toMatchObject({
      traceId: root.spanContext().traceId,
      parentSpanId: root.spanContext().spanId,
      statusCode: SpanStatusCode.ERROR,
    });
    expect(traces.instanceId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    expect(recorder.counts).toEqual({ exported: 2, dropped: 0, failed: 0, kept: 0 });
    expect(recorder.sizes.at(-1)).toBe(0);
    expect(recorder.ups).toEqual([true]);
  });

  test('all of them at close, in batches; later ones are dropped and counted', async () => {
    const receiver = await startReceiver();
    closers.push(() => receiver.close());
    const { traces, recorder } = setUp({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: receiver.url });
    for (let i = 0; i < 1200; i++) start(traces).end();
    await traces.close(5000);
    start(traces).end();
    expect(receiver.requests.map(({ spans }) => spans.length)).toEqual([512, 512, 176]);
    expect(recorder.counts).toEqual({ exported: 1200, dropped: 1, failed: 0, kept: 0 });
  });

  test('a black hole does not hold close up', async () => {
    const receiver = await startReceiver(() => {});
    closers.push(() => receiver.close());
    const { traces, recorder, lines } = setUp({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: receiver.url });
    for (let i = 0; i < 1000; i++) start(traces).end();
    const startedAt = performance.now();
    await traces.close(150);
    expect(performance.now() - startedAt).toBeLessThan(5000);
    expect(recorder.counts).toEqual({ exported: 0, dropped: 488, failed: 512, kept: 0 });
    expect(lines.map(({ level, message }) => [level, message])).toEqual([
      ['WARNING', `Spans cannot be exported to ${receiver.url}: timeout`],
    ]);
  });

  test('exports leave no span, under a context manager of the host too', async () => {
    const seen: boolean[] = [];
    const exporter: SpanExporter = {
      export(_, done) {
        seen.push(isSpanContextValid(trace.getTracer('http').startSpan('POST').spanContext()));
        done({ code: 0 });
      },
      async shutdown() {},
    };
    const { traces } = setUp({}, exporter);
    await trace.getTracer('user').startActiveSpan('work', async (span) => {
      span.end();
      await traces.flush();
    });
    expect(seen).toEqual([false]);
  });
});

describe('without exporter', () => {
  test('ids are made, sampling is decided, nothing is recorded', async () => {
    const { traces, recorder } = setUp();
    const root = start(traces);
    expect(isSpanContextValid(root.spanContext())).toBe(true);
    expect(root.spanContext().traceFlags).toBe(TraceFlags.SAMPLED);
    expect(root.isRecording()).toBe(false);
    const child = start(traces, trace.setSpan(ROOT_CONTEXT, root));
    expect(child.spanContext().traceId).toBe(root.spanContext().traceId);
    expect(child.spanContext().spanId).not.toBe(root.spanContext().spanId);
    child.end();
    await traces.flush();
    expect(recorder.sizes).toEqual([]);
    expect(injected(trace.setSpan(ROOT_CONTEXT, child)).traceparent).toMatch(/-01$/);
  });

  test('an incoming context is gone on with, tracestate too', () => {
    const { traces } = setUp();
    const parent = traces.spans.extract({ traceparent: UNSAMPLED, tracestate: 'v=1' });
    const { traceId, traceFlags, traceState } = start(traces, parent).spanContext();
    expect([traceId, traceFlags, traceState?.serialize()]).toEqual([TRACE, TraceFlags.NONE, 'v=1']);
  });

  test('suppressed tracing has no ids; root starts a trace of its own', () => {
    const { traces } = setUp();
    expect(isSpanContextValid(start(traces, suppressTracing(ROOT_CONTEXT)).spanContext())).toBe(false);
    const parent = traces.spans.extract({ traceparent: GOOD });
    const root = traces.tracer.startSpan('x', { root: true }, parent);
    expect(root.spanContext().traceId).not.toBe(TRACE);
  });

  test("users' spans nest by the global API", () => {
    setUp({ OTEL_TRACES_SAMPLER: 'always_off' });
    const tracer = trace.getTracer('user');
    tracer.startActiveSpan('outer', (outer) => {
      expect(outer.spanContext().traceFlags).toBe(TraceFlags.NONE);
      tracer.startActiveSpan('inner', { kind: SpanKind.CLIENT }, (inner) => {
        expect(inner.spanContext().traceId).toBe(outer.spanContext().traceId);
        expect(trace.getActiveSpan()).toBe(inner);
      });
    });
  });
});

describe('what starts below a span that was left out', () => {
  const unsampled = { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' };

  test.each(['http/protobuf', 'http/json'])('is not recorded, and has an id of its own: %s', async (protocol) => {
    const receiver = await startReceiver();
    closers.push(() => receiver.close());
    const { traces } = setUp({
      ...unsampled,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    });
    const root = start(traces);
    const within = trace.setSpan(ROOT_CONTEXT, root);
    const child = start(traces, within);
    const users = trace.getTracer('user').startSpan('mine', {}, trace.setSpan(within, child));
    users.setAttribute('a', 1).addEvent('b').updateName('c').setStatus({ code: SpanStatusCode.ERROR }).end();
    const spans = [root, child, users];
    expect(spans.map((span) => span.isRecording())).toEqual([false, false, false]);
    expect(new Set(spans.map((span) => span.spanContext().traceId)).size).toBe(1);
    expect(new Set(spans.map((span) => span.spanContext().spanId)).size).toBe(3);
    expect(users.spanContext()).toBe(users.spanContext());
    expect(injected(trace.setSpan(within, users)).traceparent).toBe(
      `00-${root.spanContext().traceId}-${users.spanContext().spanId}-00`,
    );
    await traces.flush();
    expect(receiver.spans).toEqual([]);
  });

  test.each([['http/protobuf'], ['http/json'], [undefined]])('asks no sampler: %s', (protocol) => {
    const asked = vi.spyOn(TraceIdRatioBasedSampler.prototype, 'shouldSample');
    closers.push(() => asked.mockRestore());
    const { traces } = setUp({
      ...unsampled,
      ...(protocol && {
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:9/v1/traces',
        OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      }),
    });
    const parentBased = vi.spyOn(ParentBasedSampler.prototype, 'shouldSample');
    closers.push(() => parentBased.mockRestore());
    const within = trace.setSpan(ROOT_CONTEXT, start(traces));
    start(traces, trace.setSpan(within, start(traces, within)));
    trace.getTracer('user').startSpan('mine', {}, within);
    expect([asked, parentBased].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
  });

  test('but for a trace of its own, which is decided anew, and suppressed tracing', () => {
    const { traces } = setUp({ OTEL_TRACES_SAMPLER: 'parentbased_always_on' }, new InMemorySpanExporter());
    const within = trace.setSpan(ROOT_CONTEXT, start(traces, traces.spans.extract({ traceparent: UNSAMPLED })));
    expect(start(traces, within).isRecording()).toBe(false);
    expect(traces.tracer.startSpan('x', { root: true }, within).isRecording()).toBe(true);
    expect(isSpanContextValid(start(traces, suppressTracing(within)).spanContext())).toBe(false);
  });

  test('goes on with what came in', () => {
    const { traces } = setUp(unsampled, new InMemorySpanExporter());
    const parent = traces.spans.extract({ traceparent: UNSAMPLED, tracestate: 'v=1' });
    const child = start(traces, trace.setSpan(ROOT_CONTEXT, start(traces, parent)));
    expect([child.spanContext().traceId, child.spanContext().traceState?.serialize()]).toEqual([TRACE, 'v=1']);
  });
});

describe('OTEL_SDK_DISABLED', () => {
  test('no ids, but what came in goes out', async () => {
    const { traces, recorder } = setUp(
      { OTEL_SDK_DISABLED: 'true', OTEL_TRACES_EXPORTER: 'otlp' },
      new InMemorySpanExporter(),
    );
    const incoming = traces.spans.extract({ traceparent: GOOD, baggage: 'a=1' });
    expect(trace.getSpanContext(incoming)?.traceId).toBe(TRACE);
    const span = start(traces, incoming);
    expect(span.spanContext()).toBe(INVALID_SPAN_CONTEXT);
    expect(span.isRecording()).toBe(false);
    await context.with(trace.setSpan(incoming, span), async () => {
      await Promise.resolve();
      expect(injected()).toEqual({ traceparent: GOOD, baggage: 'a=1' });
      const nested = trace.getTracer('user').startSpan('x');
      expect(isSpanContextValid(nested.spanContext())).toBe(false);
    });
    span.end();
    await traces.flush();
    expect(recorder.counts.exported).toBe(0);
  });
});

describe('OTEL_TRACES_EXPORTER=console', () => {
  test('writes each span as a line of the log', () => {
    const { traces, recorder, lines } = setUp({ OTEL_TRACES_EXPORTER: 'console' });
    const root = start(traces);
    const child = traces.spans.start('phase', SpanKind.INTERNAL, {}, trace.setSpan(ROOT_CONTEXT, root));
    child.addEvent('half-way', { n: 1 });
    child.addLink({ context: root.spanContext() });
    child.end();
    root.end();
    const { traceId, spanId } = root.spanContext();
    expect(lines.map(({ level, logger, message }) => [level, logger, message])).toEqual([
      ['INFO', 'span', 'phase'],
      ['INFO', 'span', 'GET'],
    ]);
    expect(lines[0]?.fields).toMatchObject({
      trace_id: traceId,
      parent_span_id: spanId,
      kind: 'internal',
      events: [{ name: 'half-way', attributes: { n: 1 } }],
      links: [{ span_id: spanId }],
    });
    expect(lines[1]?.fields).toMatchObject({
      span_id: spanId,
      trace_flags: '01',
      kind: 'server',
      span_status: 'unset',
      attributes: { a: 1 },
    });
    expect(lines[1]?.fields?.duration_ms).toBeGreaterThan(0);
    expect(recorder.counts.exported).toBe(2);
    expect(() => JSON.stringify(lines)).not.toThrow();
  });
});

describe('the global API', () => {
  test('is taken, and given back at close', async () => {
    for (let round = 0; round < 2; round++) {
      const memory = new InMemorySpanExporter();
      const { traces, lines } = setUp({}, memory);
      trace.getTracer('user').startSpan('mine').end();
      await traces.flush();
      expect(memory.getFinishedSpans().map(({ name }) => name)).toEqual(['mine']);
      await context.with(ROOT_CONTEXT.setValue(KEY, round), async () => {
        await Promise.resolve();
        expect(context.active().getValue(KEY)).toBe(round);
      });
      expect(propagation.fields()).toEqual(['traceparent', 'tracestate', 'baggage']);
      await traces.close(100);
      expect(isSpanContextValid(trace.getTracer('other').startSpan('x').spanContext())).toBe(false);
      expect(propagation.fields()).toEqual([]);
      expect(context.with(ROOT_CONTEXT.setValue(KEY, 1), () => context.active())).toBe(ROOT_CONTEXT);
      expect(lines).toEqual([]);
    }
  });

  test("a host's own SDK makes the spans, is told in one line, and is left alone at close", async () => {
    const host = new InMemorySpanExporter();
    const hostProvider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: host })] });
    trace.setGlobalTracerProvider(hostProvider);
    const ours = new InMemorySpanExporter();
    const { traces, lines } = setUp({}, ours);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: 'INFO', logger: 'fit-check' });
    expect(lines[0]?.message).toMatch(/: tracer provider$/);
    expect(traces.spans.hosted).toBe(true);
    runWith({ request: { requestId: 'r', sessionId: 's-1' } }, () => start(traces).end());
    await traces.flush();
    expect(host.getFinishedSpans()).toMatchObject([{ name: 'GET', attributes: { a: 1, 'session.id': 's-1' } }]);
    expect(ours.getFinishedSpans()).toEqual([]);
    await traces.close(100);
    expect(trace.setGlobalTracerProvider(hostProvider)).toBe(false);
  });

  test.each([
    ['what is queued there is sent', undefined],
    ['one that hangs is not waited for', () => new Promise<void>(() => {})],
    ['one that fails is its own trouble', () => Promise.reject(new Error('broken'))],
    [
      'one that throws too',
      () => {
        throw new Error('broken');
      },
    ],
  ])("at close a host's own SDK has its say: %s", async (_, forceFlush) => {
    const host = new InMemorySpanExporter();
    const processor = new BatchSpanProcessor({ exporter: host, scheduledDelayMillis: 60_000 });
    const hostProvider = new TracerProvider({ spanProcessors: [processor] });
    trace.setGlobalTracerProvider(Object.assign(hostProvider, forceFlush && { forceFlush }));
    const { traces } = setUp();
    start(traces).end();
    await traces.close(forceFlush === undefined ? 10_000 : 50);
    expect(host.getFinishedSpans()).toHaveLength(forceFlush === undefined ? 1 : 0);
    await processor.shutdown();
  });

  test("a host's own context manager is entered too, and decides what is active", () => {
    const manager = createHostContextManager();
    context.setGlobalContextManager(manager);
    const { traces } = setUp({}, new InMemorySpanExporter());
    const active = ROOT_CONTEXT.setValue(KEY, 'host');
    context.with(active, () => {
      expect(activeContext()).toBe(active);
      const otel = trace.setSpan(active, start(traces));
      runWith({ otel }, () => {
        expect(context.active()).toBe(otel);
        expect(activeContext()).toBe(otel);
      });
    });
  });

  test('what a host puts there after a change of mind is left alone at close', async () => {
    const { traces } = setUp();
    trace.disable();
    propagation.disable();
    const hostPropagator = { inject() {}, extract: (active: typeof ROOT_CONTEXT) => active, fields: () => ['x-host'] };
    propagation.setGlobalPropagator(hostPropagator);
    await traces.close(100);
    expect(propagation.fields()).toEqual(['x-host']);
  });

  test('two at once share the context manager; the first one has the rest', async () => {
    const first = setUp();
    const second = setUp();
    expect([...first.lines, ...second.lines]).toEqual([]);
    expect(second.traces.spans.hosted).toBe(false);
    await first.traces.close(100);
    expect(context.with(ROOT_CONTEXT.setValue(KEY, 1), () => contextManager.active().getValue(KEY))).toBe(1);
    await second.traces.close(100);
    expect(context.setGlobalContextManager(contextManager)).toBe(true);
  });
});

const KEY = Symbol('test');

/** A context manager as a host's SDK brings it, over a storage of its own. */
function createHostContextManager(): ContextManager {
  const storage = new AsyncLocalStorage<Context>();
  const manager: ContextManager = {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (active, work, self, ...args) => storage.run(active, () => Reflect.apply(work, self, args)),
    bind: (_active, target) => target,
    enable: () => manager,
    disable: () => manager,
  };
  return manager;
}

test('close is once, and never rejects', async () => {
  const exporter: SpanExporter = {
    export() {
      throw new Error('no');
    },
    shutdown: () => Promise.reject(new Error('no')),
  };
  const { traces, recorder } = setUp({}, exporter);
  start(traces).end();
  await Promise.all([traces.close(100), traces.close(100), traces.flush()]);
  await traces.flush();
  expect(recorder.counts.failed).toBe(1);
});
