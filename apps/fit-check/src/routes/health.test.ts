import type { Breaker } from 'binnacle';
import { createFastify } from 'binnacle/fastify';
import { observeForTest, type TestObservability } from 'binnacle/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { type HealthParts, healthRoute } from './health.ts';

let t: TestObservability;
afterEach(() => t.close());

/** What the route answers with such parts, and with which code. */
async function ask(parts: (breaker: (state: () => Breaker['state']) => Breaker) => Omit<HealthParts, 'obs'>) {
  t = observeForTest({ service: 'fit-check' });
  const app = createFastify(t);
  const breaker = (state: () => Breaker['state']): Breaker => ({
    service: 'any',
    get state() {
      return state();
    },
    run: (call) => call(),
    async *stream(open) {
      yield* open();
    },
  });
  healthRoute(app, { obs: t, ...parts(breaker) });
  try {
    const response = await app.inject({ url: '/api/fit-check/health' });
    return { code: response.statusCode, body: response.json() as Record<string, unknown> };
  } finally {
    await app.close();
  }
}

describe('GET /api/fit-check/health', () => {
  it('a breaker that probes is told as half_open, and degrades nothing', async () => {
    const { code, body } = await ask((breaker) => ({
      breakers: { search: breaker(() => 'half_open'), llm: breaker(() => 'closed') },
      activeSessions: () => 3,
    }));
    expect(code).toBe(200);
    expect(body).toMatchObject({
      status: 'healthy',
      active_sessions: 3,
      circuit_breakers: { search: 'half_open', llm: 'closed' },
    });
  });

  it('what fails within it is unhealthy with a code, still 200, and logged', async () => {
    const { code, body } = await ask((breaker) => ({
      breakers: {
        search: breaker(() => {
          throw new Error('redis://:hunter2@cache said no');
        }),
        llm: breaker(() => 'closed'),
      },
      activeSessions: () => 0,
    }));
    expect(code).toBe(200);
    expect(body).toEqual({
      status: 'unhealthy',
      service: 'fit-check',
      error: 'internal',
      timestamp: expect.closeTo(Date.now() / 1000, -2),
    });
    expect(t.lines().filter(({ level }) => level === 'ERROR')).toEqual([
      expect.objectContaining({
        message: 'Health check failed',
        exception: expect.objectContaining({ type: 'Error' }),
      }),
    ]);
  });
});
