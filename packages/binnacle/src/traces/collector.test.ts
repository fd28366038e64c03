/** Every kind of collector, over real sockets: what becomes of the spans, and what is said of it. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { TraceFlags } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { afterEach, describe, expect, test } from 'vitest';
import { type Behaviour, type OtlpReceiver, startOtlpReceiver } from '../../test/otlp/receiver.ts';
import { activeContext } from '../context.ts';
import { createPipeline, drive, type Pipeline, until } from './testing-pipeline.test-helper.ts';
import { createHandTimer, finishedSpan, HAND_EPOCH, type HandTimer } from './testing-spans.test-helper.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function receive(behaviour: Behaviour = 'healthy'): Promise<OtlpReceiver> {
  const receiver = await startOtlpReceiver({ behaviour });
  closers.push(() => receiver.close());
  return receiver;
}

/** By the hand's clock: an export has 10 s, a batch leaves after 5 s. */
function pipe({ url }: OtlpReceiver, env: Record<string, string> = {}): Pipeline & { timer: HandTimer } {
  const timer = createHandTimer();
  const pipeline = createPipeline({ OTEL_EXPORTER_OTLP_ENDPOINT: url, ...env }, timer.clock);
  closers.push(() => pipeline.processor.close(1));
  closers.push(() => void setTimeout(() => timer.advance(60_000), 50));
  return { ...pipeline, timer };
}

const linesOf = ({ lines }: Pipeline): string[] => lines.map(({ level, message }) => `${level} ${message}`);
const settledSpans = ({ recorder: { counts } }: Pipeline): number => counts.exported + counts.failed + counts.dropped;

const FORMATS = [
  ['http/protobuf', 'gzip'],
  ['http/protobuf', 'none'],
  ['http/json', 'gzip'],
  ['http/json', 'none'],
] as const;

describe.each(FORMATS)('%s, %s', (protocol, compression) => {
  const env = { OTEL_EXPORTER_OTLP_PROTOCOL: protocol, OTEL_EXPORTER_OTLP_COMPRESSION: compression };

  test('healthy: every span arrives, nothing is said', async () => {
    const receiver = await receive();
    const pipeline = pipe(receiver, env);
    pipeline.end(3);
    await drive(pipeline.timer, () => settledSpans(pipeline) === 3);
    expect(receiver.spans.map(({ name }) => name)).toEqual(['s0', 's1', 's2']);
    expect(pipeline.recorder.counts).toMatchObject({ exported: 3, failed: 0, dropped: 0 });
    expect(pipeline.lines).toEqual([]);
    expect(pipeline.timer.pending).toEqual([]);
  });

  test.each<Behaviour>(['garbage', 'huge', 'endless', { status: 200, body: '<html>welcome</html>' }, { delayMs: 60 }])(
    '%j is a success: the collector said so',
    async (behaviour) => {
      const receiver = await receive(behaviour);
      const pipeline = pipe(receiver, env);
      for (let round = 1; round <= 2; round++) {
        pipeline.end(3);
        await drive(pipeline.timer, () => receiver.requests.length === round);
        if (behaviour === 'endless') {
          // There is nothing to see from outside when its status has come.
          await new Promise((resolve) => setTimeout(resolve, 100));
          await pipeline.timer.advance(10_000);
        }
        await until(() => settledSpans(pipeline) === 3 * round);
      }
      expect(pipeline.recorder.counts).toMatchObject({ exported: 6, failed: 0, dropped: 0 });
      expect(pipeline.lines).toEqual([]);
    },
  );

  test('partial success: what was rejected failed, one line for as long as it lasts', async () => {
    const receiver = await receive({ rejected: 2, message: 'too\nold' });
    const pipeline = pipe(receiver, env);
    for (let round = 1; round <= 3; round++) {
      pipeline.end(5);
      await drive(pipeline.timer, () => settledSpans(pipeline) === 5 * round);
    }
    expect(pipeline.recorder.counts).toMatchObject({ exported: 9, failed: 6 });
    expect(pipeline.recorder.ups).toEqual([true, true, true]);
    receiver.behaviour = 'healthy';
    pipeline.end(1);
    await drive(pipeline.timer, () => settledSpans(pipeline) === 16);
    expect(linesOf(pipeline)).toEqual([
      `WARNING Spans are exported to ${receiver.tracesUrl}, which rejects some: 2 of 5`,
      `WARNING Spans are exported to ${receiver.tracesUrl} in full again; 6 were rejected`,
    ]);
    expect(pipeline.lines[0]?.fields).toEqual({ endpoint: receiver.tracesUrl, rejected: 2, reason: 'too old' });
    expect(receiver.spans).toHaveLength(10);
  });

  test('advice on an export that was taken is one line', async () => {
    const receiver = await receive({ rejected: 0, message: 'send less' });
    const pipeline = pipe(receiver, env);
    for (let round = 1; round <= 2; round++) {
      pipeline.end(1);
      await drive(pipeline.timer, () => settledSpans(pipeline) === round);
    }
    expect(pipeline.recorder.counts).toMatchObject({ exported: 2, failed: 0 });
    expect(linesOf(pipeline)).toEqual([`WARNING Spans are exported to ${receiver.tracesUrl}, which has advice`]);
  });

  test('gone for ten minutes: bounded, every span counted once, two lines that say what it cost', async () => {
    const receiver = await receive();
    const pipeline = pipe(receiver, env);
    const { timer, recorder } = pipeline;
    await receiver.stop();
    let ended = 0;
    while (timer.clock.now() < 600_000) {
      pipeline.end(300);
      ended += 300;
      const now = timer.clock.now();
      await drive(timer, () => timer.clock.now() > now);
    }
    expect(recorder.counts.exported).toBe(0);
    expect(recorder.counts.dropped).toBeGreaterThan(0);
    expect(recorder.counts.failed).toBeGreaterThan(0);
    await receiver.start();
    await drive(timer, () => settledSpans(pipeline) === ended);
    expect(Math.max(...recorder.sizes)).toBe(2048);
    expect(recorder.sizes.at(-1)).toBe(0);
    const lost = recorder.counts.failed + recorder.counts.dropped;
    expect(recorder.counts.exported).toBe(ended - lost);
    expect(receiver.spans).toHaveLength(ended - lost);
    expect(linesOf(pipeline)).toEqual([
      `WARNING Spans cannot be exported to ${receiver.tracesUrl}: ECONNREFUSED`,
      `WARNING Spans are exported to ${receiver.tracesUrl} again; ${lost} were lost`,
    ]);
  });
});

describe('what cannot be mended fails at once', () => {
  test.each<[Behaviour, string]>([
    [{ status: 500 }, 'HTTP 500'],
    [{ status: 501 }, 'HTTP 501'],
    [{ status: 400, body: 'x'.repeat(1_000_000) }, 'HTTP 400'],
    [{ status: 401 }, 'HTTP 401'],
    [{ status: 413 }, 'HTTP 413'],
    ['invalidHttp', 'HPE_INVALID_CONSTANT'],
  ])('%j', async (behaviour, cause) => {
    const receiver = await receive(behaviour);
    const pipeline = pipe(receiver);
    pipeline.end(3);
    await drive(pipeline.timer, () => settledSpans(pipeline) === 3);
    expect(pipeline.timer.clock.now()).toBe(5000);
    expect(receiver.attempts).toBe(1);
    expect(pipeline.recorder.counts).toMatchObject({ exported: 0, failed: 3 });
    expect(linesOf(pipeline)).toEqual([`WARNING Spans cannot be exported to ${receiver.tracesUrl}: ${cause}`]);
  });

  test('a redirect, which is not followed', async () => {
    const other = await receive();
    const receiver = await receive({ status: 307, headers: { location: other.tracesUrl } });
    const pipeline = pipe(receiver);
    pipeline.end(1);
    await drive(pipeline.timer, () => settledSpans(pipeline) === 1);
    expect(linesOf(pipeline)).toEqual([`WARNING Spans cannot be exported to ${receiver.tracesUrl}: HTTP 307`]);
    expect([receiver.attempts, other.attempts]).toEqual([1, 0]);
  });
});

describe('what may pass is tried again', () => {
  test.each([
    [503, '4'],
    [429, '4'],
    [503, new Date(HAND_EPOCH + 5000 + 4000).toUTCString()],
    [429, new Date(HAND_EPOCH + 5000 + 4000).toUTCString()],
  ])('%d with Retry-After %s: not before', async (status, retryAfter) => {
    const receiver = await receive({ status, headers: { 'retry-after': retryAfter } });
    const pipeline = pipe(receiver);
    pipeline.end(3);
    await drive(pipeline.timer, () => pipeline.timer.pending.includes(4000));
    receiver.behaviour = 'healthy';
    await pipeline.timer.advance(3999);
    expect(receiver.attempts).toBe(1);
    await pipeline.timer.advance(1);
    await until(() => settledSpans(pipeline) === 3);
    expect(receiver.attempts).toBe(2);
    expect(pipeline.recorder.counts).toMatchObject({ exported: 3, failed: 0 });
    expect(pipeline.lines).toEqual([]);
  });

  test('a Retry-After beyond the deadline costs the batch, and the next one waits for it', async () => {
    const receiver = await receive({ status: 503, headers: { 'retry-after': '120' } });
    const pipeline = pipe(receiver);
    pipeline.end(3);
    await drive(pipeline.timer, () => settledSpans(pipeline) === 3);
    expect(pipeline.recorder.counts.failed).toBe(3);
    receiver.behaviour = 'healthy';
    pipeline.end(600);
    await pipeline.timer.advance(119_999);
    expect(receiver.attempts).toBe(1);
    await drive(pipeline.timer, () => settledSpans(pipeline) === 603);
    expect(receiver.spans).toHaveLength(600);
    expect(linesOf(pipeline)[1]).toBe(`WARNING Spans are exported to ${receiver.tracesUrl} again; 3 were lost`);
  });

  test.each<[Behaviour | 'refused', string]>([
    [{ status: 429 }, 'HTTP 429'],
    [{ status: 502 }, 'HTTP 502'],
    [{ status: 503 }, 'HTTP 503'],
    [{ status: 504 }, 'HTTP 504'],
    ['reset', 'ECONNRESET'],
    ['refused', 'ECONNREFUSED'],
  ])('%j: after 1, 1.5, 2.25 and 3.375 s, then the time is up', async (behaviour, cause) => {
    const receiver = await receive(behaviour === 'refused' ? 'healthy' : behaviour);
    if (behaviour === 'refused') await receiver.stop();
    const pipeline = pipe(receiver);
    pipeline.end(3);
    await drive(pipeline.timer, () => settledSpans(pipeline) === 3);
    expect(pipeline.timer.clock.now()).toBe(5000 + 1000 + 1500 + 2250 + 3375);
    if (behaviour !== 'refused') expect(receiver.attempts).toBe(5);
    expect(linesOf(pipeline)).toEqual([`WARNING Spans cannot be exported to ${receiver.tracesUrl}: ${cause}`]);
    expect(pipeline.recorder.counts).toMatchObject({ exported: 0, failed: 3 });
  });

  test.each<Behaviour>(['reset', { status: 503 }])(
    '%j, then well: nothing is lost, nothing is said',
    async (behaviour) => {
      const receiver = await receive(behaviour);
      const pipeline = pipe(receiver);
      pipeline.end(3);
      await drive(pipeline.timer, () => receiver.attempts === 2);
      receiver.behaviour = 'healthy';
      await drive(pipeline.timer, () => settledSpans(pipeline) === 3);
      expect(receiver.spans).toHaveLength(3);
      expect(pipeline.lines).toEqual([]);
    },
  );
});

test.each<Behaviour>(['blackHole', 'deaf'])(
  '%j: the time is up, and the next export has a connection of its own',
  async (behaviour) => {
    const receiver = await receive(behaviour);
    const pipeline = pipe(receiver);
    pipeline.end(3);
    await drive(pipeline.timer, () => receiver.attempts === 1);
    await pipeline.timer.advance(9999);
    expect(settledSpans(pipeline)).toBe(0);
    await pipeline.timer.advance(1);
    await until(() => settledSpans(pipeline) === 3);
    expect(linesOf(pipeline)).toEqual([`WARNING Spans cannot be exported to ${receiver.tracesUrl}: timeout`]);
    receiver.behaviour = 'healthy';
    pipeline.end(1);
    await drive(pipeline.timer, () => settledSpans(pipeline) === 4);
    expect(receiver.connections).toBe(2);
    expect(linesOf(pipeline)[1]).toBe(`WARNING Spans are exported to ${receiver.tracesUrl} again; 3 were lost`);
  },
);

test("connections are opened with tracing suppressed, retries too, and nobody's HTTP client hears of an export", async () => {
  const suppressed: boolean[] = [];
  const heard: unknown[] = [];
  hear('net.client.socket', () => void suppressed.push(isTracingSuppressed(activeContext())));
  for (const moment of ['created', 'start', 'error'])
    hear(`http.client.request.${moment}`, (told) => void heard.push(told));
  const receiver = await receive('reset');
  const pipeline = pipe(receiver);
  pipeline.end(1);
  await drive(pipeline.timer, () => settledSpans(pipeline) === 1);
  expect(receiver.attempts).toBe(5);
  expect(suppressed).toEqual([true, true, true, true, true]);
  expect(heard).toEqual([]);
});

function hear(channel: string, listener: (told: unknown) => void): void {
  subscribe(channel, listener);
  closers.push(() => unsubscribe(channel, listener));
}

test('the deadline is the shorter one of OTEL_EXPORTER_OTLP_TIMEOUT and OTEL_BSP_EXPORT_TIMEOUT', async () => {
  for (const variable of ['OTEL_EXPORTER_OTLP_TIMEOUT', 'OTEL_BSP_EXPORT_TIMEOUT']) {
    const receiver = await receive('blackHole');
    const pipeline = pipe(receiver, { [variable]: '700' });
    pipeline.end(1);
    await drive(pipeline.timer, () => receiver.attempts === 1);
    await pipeline.timer.advance(699);
    expect(settledSpans(pipeline)).toBe(0);
    await pipeline.timer.advance(1);
    await until(() => settledSpans(pipeline) === 1);
  }
});

test('spans of 64 KiB leave in exports of 4 MiB at most', async () => {
  const receiver = await receive();
  const pipeline = pipe(receiver, { OTEL_EXPORTER_OTLP_COMPRESSION: 'none' });
  const large = finishedSpan('large', TraceFlags.SAMPLED, { attributes: { text: 'x'.repeat(65_536) } });
  for (let i = 0; i < 200; i++) pipeline.processor.onEnd(large);
  await drive(pipeline.timer, () => settledSpans(pipeline) === 200);
  expect(receiver.spans).toHaveLength(200);
  expect(receiver.requests.length).toBeGreaterThanOrEqual(4);
  for (const { bytes } of receiver.requests) expect(bytes).toBeLessThanOrEqual(4 * 1024 * 1024);
});

describe('close stays within its bound, and every span is counted', () => {
  test.each<[Behaviour | 'refused', string]>([
    ['blackHole', 'timeout'],
    ['deaf', 'timeout'],
    ['reset', 'ECONNRESET'],
    ['refused', 'ECONNREFUSED'],
    ['invalidHttp', 'HPE_INVALID_CONSTANT'],
    [{ status: 500 }, 'HTTP 500'],
    [{ status: 503 }, 'HTTP 503'],
    [{ status: 503, headers: { 'retry-after': '120' } }, 'HTTP 503'],
    [{ delayMs: 5000 }, 'timeout'],
  ])('%j', async (behaviour, cause) => {
    const receiver = await receive(behaviour === 'refused' ? 'healthy' : behaviour);
    if (behaviour === 'refused') await receiver.stop();
    const pipeline = createPipeline({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
    pipeline.end(1300);
    const startedAt = performance.now();
    await pipeline.processor.close(400);
    expect(performance.now() - startedAt).toBeLessThan(4000);
    expect(pipeline.recorder.counts).toMatchObject({ exported: 0, failed: 512, dropped: 788 });
    expect(pipeline.recorder.sizes.at(-1)).toBe(0);
    expect(linesOf(pipeline)).toEqual([`WARNING Spans cannot be exported to ${receiver.tracesUrl}: ${cause}`]);
  });

  test.each<Behaviour>(['garbage', 'huge', 'endless', { rejected: 0, message: 'x' }])(
    '%j takes them',
    async (behaviour) => {
      const receiver = await receive(behaviour);
      const pipeline = createPipeline({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
      pipeline.end(500);
      await pipeline.processor.close(400);
      expect(pipeline.recorder.counts).toMatchObject({ exported: 500, failed: 0, dropped: 0 });
    },
  );
});
