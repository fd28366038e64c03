/** The console of the service as it is started: what it shows of one question, and to whom. */
import { afterEach, describe, expect, it } from 'vitest';
import { openPage, type Page } from '../../../packages/binnacle/test/console/page.ts';
import { runService, type Service, startService } from './service.ts';

let service: Service | undefined;
afterEach(async () => {
  await service?.stop();
  service = undefined;
});

const ask = async (url: string): Promise<string> =>
  (
    await fetch(`${url}/api/fit-check/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: 'Senior backend engineer at Google, TypeScript and Kubernetes', session_id: 'c1' }),
    })
  ).text();

/** Every span of the trace that a question made, once the request's own is there. */
const traceOf = (page: Page) =>
  page.until((seen) => {
    const spans = seen.told('spans');
    const root = spans.find(({ name }) => name === 'POST /api/fit-check/stream');
    return root && spans.filter(({ traceId }) => traceId === root.traceId);
  });

describe('the console', () => {
  it('is said to be there in development, and shows a question: live, trace, lines, calls, metrics, health', async () => {
    service = await startService();
    const port = new URL(service.url).port;
    expect(service.lines().map(({ message }) => message)).toContain(`Watch: http://localhost:${port}/console`);
    const page = await openPage(service.url);
    expect(await ask(service.url)).toContain('event: complete');
    const spans = await traceOf(page);
    const names = spans.map(({ name }) => name);
    for (const phase of ['deep_research', 'skills_matching', 'gap_analysis', 'verdict'])
      expect(names).toContain(`phase ${phase}`);
    const call = spans.find(({ attributes }) => attributes['gen_ai.provider.name'] === 'embedded');
    expect(call).toBeDefined();
    const chunks = await page.until((seen) => seen.told('chunks').find(({ spanId }) => spanId === call?.spanId));
    expect(chunks.times.length).toBeGreaterThan(5);
    expect(chunks.times).toEqual([...chunks.times].sort((a, b) => a - b));
    const lines = await page.until((seen) => {
      const own = seen.told('logs').filter(({ traceId }) => traceId === call?.traceId);
      return own.some(({ message }) => message === '[c1] Request completed') && own;
    });
    expect(lines.map(({ message }) => message)).toContain('[c1] Phase started: verdict');
    const asked = await page.until((seen) => {
      const ids = seen
        .told('metrics')
        .flatMap(({ series = [] }) => series)
        .filter(({ family, labels }) => family === 'fit_check_requests_total' && labels.status === 'success');
      return seen.told('metrics').find(({ values }) => values.some(([id, value]) => id === ids[0]?.id && value === 1));
    });
    expect(asked.time).toBeGreaterThan(0);
    const health = await page.until((seen) => seen.told('health').find(({ checks }) => checks.database !== undefined));
    expect(health.breakers).toHaveLength(2);
    expect(health.breakers).toEqual(
      expect.arrayContaining(['llm', 'search'].map((name) => ({ service: name, state: 'closed' }))),
    );
    expect(page.told('telemetry')[0]?.exporter).toEqual({ kind: 'none' });
    page.close();
  }, 60_000);

  it('is open at a shutdown, and holds it up no longer than it takes', async () => {
    service = await startService();
    const page = await openPage(service.url);
    await page.until((seen) => seen.told('hello').length === 1);
    service.kill('SIGTERM');
    expect(await service.exited).toBe(0);
    await page.ended;
    expect(page.told('logs').map(({ message }) => message)).toContain('Shut down');
  }, 60_000);

  it('is not there in production, nor where it is turned off', async () => {
    const off: Record<string, string>[] = [{ ENVIRONMENT: 'production' }, { CONSOLE_ENABLED: 'false' }];
    for (const env of off) {
      service = await startService(env);
      expect((await fetch(`${service.url}/console`)).status).toBe(404);
      expect(service.output.join('\n')).not.toContain('/console');
      await service.stop();
    }
  }, 60_000);

  it('asks for its token, in production too, and without one stops the start there', async () => {
    const production = { ENVIRONMENT: 'production', CONSOLE_ENABLED: 'true' };
    service = await startService({ ...production, CONSOLE_TOKEN: 'let-me-in-please' });
    const session = (headers: Record<string, string>) => fetch(`${service?.url}/console/api/session`, { headers });
    expect((await session({})).status).toBe(401);
    expect((await session({ authorization: 'Bearer let-me-in-please' })).status).toBe(200);
    expect(service.output.join('\n')).not.toContain('let-me-in-please');
    const { status, output } = await runService(production);
    expect(status).not.toBe(0);
    expect(output.trim().split('\n')).toHaveLength(1);
    expect(output).toContain('CONSOLE_TOKEN=(not set) is not usable');
  }, 60_000);
});
