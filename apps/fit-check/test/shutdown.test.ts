/** SIGTERM: the contract's order, with work in hand, with a receiver, and with a collector that never answers. */
import { afterEach, describe, expect, it } from 'vitest';
import { type OtlpReceiver, startOtlpReceiver } from '../../../packages/binnacle/test/otlp/receiver.ts';
import { openStream } from './events.ts';
import { type LlmDouble, startLlm } from './llm-double.ts';
import { type Service, startService } from './service.ts';
import { until } from './until.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
const keep = <T extends Service | LlmDouble | OtlpReceiver>(part: T): T => {
  cleanups.push(() => ('stop' in part ? part.stop() : part.close()));
  return part;
};

describe('SIGTERM while a stream is held', () => {
  it('refuses new work, tells the stream, stores it as interrupted, delivers every span, and exits 0', async () => {
    const llm = keep(await startLlm({ kind: 'hold' }));
    const otlp = keep(await startOtlpReceiver());
    const service = keep(
      await startService({
        OPENAI_BASE_URL: llm.url,
        LLM_MODEL: 'double-1',
        SHUTDOWN_DELAY_MS: '500',
        SHUTDOWN_TIMEOUT_MS: '2000',
        OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
        OTEL_BSP_SCHEDULE_DELAY: '60000',
      }),
    );
    const stream = await openStream(service.url, { query: 'Google', session_id: 'held' });
    await stream.next('response');
    const ready = (): Promise<number> => fetch(`${service.url}/health/ready`).then((response) => response.status);
    expect(await ready()).toBe(200);

    service.kill('SIGTERM');
    service.kill('SIGTERM');
    await until('readiness fails', async () => (await ready()) === 503);
    // During the delay new work is still taken; its caller goes at once.
    const late = await openStream(service.url, { query: 'Siemens', session_id: 'late' });
    expect(late.status).toBe(200);
    late.abort();
    const refused = await until('new work is refused', async () => {
      const response = await fetch(`${service.url}/api/fit-check/sessions/held`);
      return response.status === 503 ? response : undefined;
    });
    expect(refused.headers.get('retry-after')).toBeTruthy();
    expect(refused.headers.get('connection')).toBe('close');
    expect(await refused.json()).toMatchObject({
      error: { code: 'shutting_down', message: expect.any(String), request_id: expect.any(String) },
    });
    expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
    expect((await fetch(`${service.url}/metrics`)).status).toBe(200);

    await stream.ended;
    expect(stream.events.at(-1)?.event).toBe('shutdown');
    expect(await service.exited).toBe(0);
    await until('the upstream call was aborted', () => llm.aborted >= 1);

    const closing = service.lines().filter((line) => line.message === '[held] Request completed');
    expect(closing).toHaveLength(1);
    expect(closing[0]).toMatchObject({ status: 'cancelled', http_status: 200, error_type: 'shutdown' });
    const names = otlp.spans.filter((span) => span.attributes['session.id'] === 'held').map((span) => span.name);
    expect(names).toEqual(
      expect.arrayContaining(['POST /api/fit-check/stream', 'phase connecting', 'phase verdict', 'chat double-1']),
    );
    expect(otlp.resource).toMatchObject({ 'service.name': 'fit-check' });

    const again = keep(await startService({}, service.folder));
    const stored = await fetch(`${again.url}/api/fit-check/sessions/held`);
    expect(await stored.json()).toMatchObject({ session_id: 'held', status: 'interrupted' });
  });

  it('lets running work end by itself', async () => {
    const llm = keep(await startLlm({ kind: 'hold' }));
    const service = keep(await startService({ OPENAI_BASE_URL: llm.url, LLM_MODEL: 'double-1' }));
    const stream = await openStream(service.url, { query: 'Google', session_id: 'whole' });
    await stream.next('response');
    service.kill('SIGINT');
    await until('readiness fails', async () => (await fetch(`${service.url}/health/ready`)).status === 503);
    llm.release();
    await stream.ended;
    expect(stream.events.at(-1)?.event).toBe('complete');
    expect(await service.exited).toBe(0);
  });

  it('a service at rest ends at once', async () => {
    const service = keep(await startService());
    service.kill('SIGTERM');
    expect(await service.exited).toBe(0);
    for (const line of service.lines()) expect(line.message).toBeTruthy();
  });
});

describe('a collector that never answers', () => {
  it('keeps nobody: exit within the flush bound', async () => {
    const otlp = keep(await startOtlpReceiver({ blackHole: true }));
    const service = keep(await startService({ OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url, SHUTDOWN_FLUSH_MS: '1000' }));
    const stream = await openStream(service.url, { query: 'Google' });
    await stream.ended;
    const signalled = performance.now();
    service.kill('SIGTERM');
    expect(await service.exited).toBe(0);
    // 1 s to flush, at most 1 s each to close the listener and Binnacle, and what a busy machine adds.
    expect(performance.now() - signalled).toBeLessThan(5000);
  });

  it('one that refuses is one line at INFO, and the service serves', async () => {
    const service = keep(
      await startService({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_BSP_SCHEDULE_DELAY: '100' }),
    );
    for (const query of ['Google', 'Siemens', 'Spotify']) {
      const stream = await openStream(service.url, { query });
      await stream.ended;
      expect(stream.events.at(-1)?.event).toBe('complete');
    }
    await until('an export failed', () => service.lines().some((line) => line.logger === 'otel'));
    await until(
      'more exports failed',
      async () => {
        const text = await (await fetch(`${service.url}/metrics`)).text();
        return Number(/binnacle_spans_total\{result="failed"\} (\d+)/.exec(text)?.[1] ?? 0) > 10;
      },
      60_000,
    );
    expect(service.lines().filter((line) => line.logger === 'otel')).toHaveLength(1);
  });
});
