/** 200 streams at once, three times over: all complete, nothing is left behind. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ask } from './events.ts';
import { scrape } from './metrics.ts';
import { COLLECTABLE, liveHeap, type Service, startService } from './service.ts';
import { until } from './until.ts';

const STREAMS = 200;
let service: Service;
beforeAll(async () => {
  service = await startService({ LOG_LEVEL: 'WARNING', ...COLLECTABLE });
});
afterAll(() => service.stop());

/** The live heap after a round, in bytes. */
async function round(name: string): Promise<number> {
  const streams = await Promise.all(
    Array.from({ length: STREAMS }, (_, i) =>
      ask(service.url, { query: `${name} engineer ${i} TypeScript Kubernetes`, session_id: `${name}-${i}` }),
    ),
  );
  for (const stream of streams) expect(stream.events.at(-1)?.event).toBe('complete');
  await until('the gauges are back to 0', async () => {
    const samples = await scrape(service.url);
    const active = [...samples].filter(
      ([name]) => name.startsWith('http_server_active_requests') && name.includes('"POST"'),
    );
    return samples.get('fit_check_active_sessions') === 0 && active.every(([, value]) => value === 0);
  });
  return liveHeap(service);
}

it('200 concurrent streams, three rounds', { timeout: 180_000 }, async () => {
  await round('warm-up');
  const memory = [await round('first'), await round('second'), await round('third')];
  const samples = await scrape(service.url);
  expect(samples.get('fit_check_requests_total{status="success"}')).toBe(4 * STREAMS);
  expect(samples.get('fit_check_llm_calls_total{model="embedded-analyst",status="success"}')).toBe(4 * STREAMS);
  const grown = (memory[2] as number) - (memory[0] as number);
  // The caches hold 500 answers each, and are full after the second round.
  expect(grown / 1024 / 1024).toBeLessThan(8);
});

it('one more than the service takes is told so, and so is a session that runs already', async () => {
  const small = await startService({ MAX_SESSIONS: '2' });
  try {
    const held = await Promise.all(
      ['a', 'b'].map((id) =>
        import('./events.ts').then(({ openStream }) => openStream(small.url, { query: 'Google', session_id: id })),
      ),
    );
    const third = await fetch(`${small.url}/api/fit-check/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query":"Google","session_id":"c"}',
    });
    expect(third.status).toBe(503);
    expect(third.headers.get('retry-after')).toBeTruthy();
    expect(await third.json()).toMatchObject({ error: { code: 'too_many_sessions' } });
    const twice = await fetch(`${small.url}/api/fit-check/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query":"Google","session_id":"a"}',
    });
    expect(twice.status).toBe(409);
    expect(await twice.json()).toMatchObject({ error: { code: 'session_busy' } });
    await Promise.all(held.map((stream) => stream.ended));
  } finally {
    await small.stop();
  }
});
