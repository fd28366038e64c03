/** The service over a real PostgreSQL: stored, shared by instances, stopped, frozen, restarted, and killed beside it. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { killRandomly } from './chaos/kills.ts';
import { postgresTarget, sqliteTarget } from './chaos/targets.ts';
import { ask, openStream } from './events.ts';
import { type LlmDouble, startLlm } from './llm-double.ts';
import { hasPostgres, type PostgresServer, startPostgres, WITHOUT_POSTGRES } from './servers/postgres.ts';
import { type LogLine, runService, type Service, startService } from './service.ts';
import { until } from './until.ts';

const LEASE = 2000;
const KILLS = 5;

interface Row {
  readonly status: string;
  readonly analysis: string | null;
}

const installed = hasPostgres();

describe.skipIf(!installed)(installed ? 'over PostgreSQL' : `over PostgreSQL (${WITHOUT_POSTGRES})`, () => {
  let postgres: PostgresServer;
  let llm: LlmDouble;
  let url: string;
  let databases = 0;
  const services: Service[] = [];
  beforeAll(async () => {
    [postgres, llm] = await Promise.all([startPostgres(), startLlm()]);
  });
  afterAll(async () => {
    await llm.close();
    await postgres.close();
  });
  afterEach(async () => {
    for (const service of services.splice(0)) await service.stop();
    await postgres.stop();
    await postgres.start();
  });

  /** An instance over a database that is this test's own; with `held`, its LLM says one word and holds. */
  async function start(held: boolean, env: Record<string, string> = {}): Promise<Service> {
    llm.behaviour = { kind: held ? 'hold' : 'answer' };
    const service = await startService({
      DATABASE_URL: url,
      SESSION_LEASE_MS: String(LEASE),
      HEALTH_INTERVAL_MS: '300',
      OPENAI_BASE_URL: llm.url,
      LLM_MODEL: 'double-1',
      ...env,
    });
    services.push(service);
    return service;
  }
  async function fresh(): Promise<void> {
    databases += 1;
    url = await postgres.createDatabase(`e2e${databases}`);
  }
  const row = async (id: string): Promise<Row | undefined> =>
    (
      await postgres.query<Row & Record<string, unknown>>(
        url,
        'SELECT status, analysis FROM sessions WHERE session_id = $1',
        [id],
      )
    )[0];
  const get = (service: Service, path: string): Promise<Response> => fetch(`${service.url}${path}`);
  const read = async (service: Service, id: string): Promise<Record<string, unknown>> =>
    (await (await get(service, `/api/fit-check/sessions/${id}`)).json()) as Record<string, unknown>;
  const ready = (service: Service, status: number): Promise<unknown> =>
    until(`readiness is ${status}`, async () => (await get(service, '/health/ready')).status === status, 20_000);
  const lines = (service: Service, part: string): LogLine[] =>
    service.lines().filter(({ message }) => message.includes(part));

  it('sessions are stored, and read by any instance and after a restart', async () => {
    await fresh();
    const [a, b] = await Promise.all([start(false), start(false)]);
    const stream = await ask(a.url, { query: 'Google', session_id: 'first' });
    expect(stream.events.at(-1)?.event).toBe('complete');
    await until('the row is complete', async () => (await row('first'))?.status === 'complete');
    const session = await read(a, 'first');
    expect(session).toMatchObject({ session_id: 'first', status: 'complete', analysis: { query: 'Google' } });
    expect(Object.keys(session)).not.toContain('owner');
    expect(await read(b, 'first')).toEqual(session);
    expect((await get(b, '/api/fit-check/sessions/none')).status).toBe(404);
    await a.stop();
    expect(await read(await start(false), 'first')).toEqual(session);
    expect(lines(b, '').filter(({ level }) => level !== 'INFO')).toEqual([]);
  });

  it('one id runs once over all instances: the second is refused, until the first has ended', async () => {
    await fresh();
    const [a, b] = await Promise.all([start(true), start(true)]);
    const streams = await Promise.all(
      [a, b].map((service) => openStream(service.url, { query: 'Google', session_id: 'shared' })),
    );
    expect(streams.map(({ status }) => status).sort()).toEqual([200, 409]);
    const winner = streams.find(({ status }) => status === 200)!;
    await winner.next('response');
    // For longer than a lease: it is renewed.
    await until('the lease was renewed', async () => performance.now() > (winner.events[0]?.at ?? 0) + 1.5 * LEASE);
    const [first, second] = winner === streams[0] ? [a, b] : [b, a];
    expect((await ask(second.url, { query: 'Google', session_id: 'shared' })).status).toBe(409);
    expect(await read(second, 'shared')).toMatchObject({ status: 'running' });
    llm.release();
    await winner.ended;
    llm.behaviour = { kind: 'answer' };
    await until('the row is complete', async () => (await row('shared'))?.status === 'complete');
    expect((await ask(second.url, { query: 'Google', session_id: 'shared' })).status).toBe(200);
    expect(lines(first, 'lease was lost')).toEqual([]);
  });

  it('an instance that is killed: its session is interrupted after the lease, and may run again', async () => {
    await fresh();
    const [a, b] = await Promise.all([start(true), start(true)]);
    const stream = await openStream(a.url, { query: 'Google', session_id: 'orphan' });
    await stream.next('response');
    a.kill('SIGKILL');
    await a.exited;
    llm.behaviour = { kind: 'answer' };
    expect((await ask(b.url, { query: 'Google', session_id: 'orphan' })).status).toBe(409);
    await until('it is read as interrupted', async () => (await read(b, 'orphan')).status === 'interrupted');
    await until('the sweep marks it', async () => (await row('orphan'))?.status === 'interrupted');
    expect((await ask(b.url, { query: 'Google', session_id: 'orphan' })).events.at(-1)?.event).toBe('complete');
    await until('the row is complete', async () => (await row('orphan'))?.status === 'complete');
  });

  it('stopped in the middle of a stream: the stream ends well, and is stored once the database is back', async () => {
    await fresh();
    const service = await start(true);
    const stream = await openStream(service.url, { query: 'Google', session_id: 'kept' });
    await stream.next('response');
    await postgres.stop();
    await ready(service, 503);
    llm.release();
    await stream.ended;
    expect(stream.events.at(-1)?.event).toBe('complete');
    const closing = await until('the closing line', () => lines(service, '[kept] Request completed')[0]);
    expect(closing).toMatchObject({ status: 'success', stored: false });
    expect(await read(service, 'kept')).toMatchObject({ status: 'complete', analysis: { query: 'Google' } });
    const unknown = await get(service, '/api/fit-check/sessions/unknown');
    expect([unknown.status, unknown.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await unknown.json()).toMatchObject({ error: { code: 'upstream_unavailable' } });

    await postgres.start();
    await ready(service, 200);
    await until('the row is complete', async () => (await row('kept'))?.status === 'complete');
    expect(JSON.parse((await row('kept'))?.analysis ?? '')).toMatchObject({ query: 'Google' });
    // A line reaches its destination some milliseconds after what it tells of.
    await until('the line about it', () => lines(service, '[kept] The session was stored late').length === 1);
    expect(lines(service, 'The database cannot be used')).toHaveLength(1);
    expect(service.output.join('\n')).not.toContain('fit-secret');
  });

  it('frozen: unready in time, alive at once, sessions run and are stored once it goes on', async () => {
    await fresh();
    const service = await start(false);
    await ask(service.url, { query: 'Google', session_id: 'before' });
    await until('the row is complete', async () => (await row('before'))?.status === 'complete');
    await ready(service, 200);
    postgres.freeze();
    const first = await ask(service.url, { query: 'Siemens', session_id: 'frozen' });
    expect(first.events.at(-1)?.event).toBe('complete');
    const asked = performance.now();
    await ready(service, 503);
    const streams = await Promise.all(
      Array.from({ length: 20 }, (_, n) => ask(service.url, { query: `Spotify ${n}`, session_id: `frozen-${n}` })),
    );
    expect(streams.map(({ events }) => events.at(-1)?.event)).toEqual(streams.map(() => 'complete'));
    expect((await get(service, '/api/fit-check/sessions/before')).status).toBe(503);
    for (const path of ['/health/live', '/api/fit-check/health']) expect((await get(service, path)).status).toBe(200);
    // All of it well within what one query may take: nobody waited for the database a second time.
    expect(performance.now() - asked).toBeLessThan(10_000);
    postgres.thaw();
    await ready(service, 200);
    const ids = ['frozen', ...streams.map((_, n) => `frozen-${n}`)];
    for (const id of ids) await until(`${id} is stored`, async () => (await row(id))?.status === 'complete');
    const report = (await (await get(service, '/health')).json()) as { checks: { database: object } };
    expect(report.checks.database).toMatchObject({ status: 'healthy', critical: true });
    expect(lines(service, 'The database cannot be used')).toHaveLength(1);
  });

  it('not there at the start: the service starts unready, serves, and migrates once it is', async () => {
    await fresh();
    await postgres.stop();
    const service = await start(false);
    expect((await get(service, '/health/ready')).status).toBe(503);
    expect((await ask(service.url, { query: 'Google', session_id: 'early' })).events.at(-1)?.event).toBe('complete');
    await postgres.start();
    await ready(service, 200);
    await until('the row is complete', async () => (await row('early'))?.status === 'complete');
  });

  it('restarted while nobody asks: no crash, at most one line, and it serves again', async () => {
    await fresh();
    const service = await start(false);
    await Promise.all(Array.from({ length: 8 }, (_, n) => ask(service.url, { query: `Google ${n}` })));
    await postgres.restart();
    await ready(service, 200);
    const stream = await ask(service.url, { query: 'Siemens', session_id: 'again' });
    expect(stream.events.at(-1)?.event).toBe('complete');
    await until('the row is complete', async () => (await row('again'))?.status === 'complete');
    expect(lines(service, 'The database cannot be used').length).toBeLessThan(2);
    for (const { level } of service.lines()) expect(['ERROR', 'CRITICAL']).not.toContain(level);
  });

  it('a shutdown stores what it cut short', async () => {
    await fresh();
    const service = await start(true, { SHUTDOWN_DELAY_MS: '0', SHUTDOWN_TIMEOUT_MS: '500' });
    const stream = await openStream(service.url, { query: 'Google', session_id: 'cut' });
    await stream.next('response');
    service.kill('SIGTERM');
    await stream.ended;
    expect(stream.events.at(-1)?.event).toBe('shutdown');
    expect(await service.exited).toBe(0);
    expect(await row('cut')).toMatchObject({ status: 'interrupted' });
  });

  it('a shutdown while the database is frozen is over in time, and tells what it lost', async () => {
    await fresh();
    const service = await start(false);
    postgres.freeze();
    await ask(service.url, { query: 'Google', session_id: 'lost' });
    service.kill('SIGTERM');
    expect(await service.exited).toBe(0);
    expect(lines(service, '[lost] The session is not stored: the service ends')).toMatchObject([{ level: 'ERROR' }]);
  });

  it.each([
    ['password', (right: string) => right.replace('fit-secret', 'hunter2')],
    ['database', (right: string) => `${right}-not`],
  ])('a wrong %s stops the start with one line', async (_what, change) => {
    await fresh();
    const { status, output } = await runService({ DATABASE_URL: change(url), LOG_FORMAT: 'json' });
    expect(status).toBe(1);
    expect(output.trim().split('\n')).toHaveLength(1);
    expect(output).toMatch(/DATABASE_URL=.*127\.0\.0\.1/);
    expect(output).not.toMatch(/hunter2|fit-secret/);
  });

  it(`${KILLS} kills under load: nothing runs for ever, nothing is half, nothing that was told is lost`, async () => {
    await fresh();
    const kills = await killRandomly(postgresTarget(postgres, url), KILLS);
    for (const kill of kills) expect(kill).toMatchObject({ running: 0, half: 0, lost: 0 });
  }, 120_000);
});

it(`over SQLite, ${KILLS} kills under load: the same`, async () => {
  const target = sqliteTarget();
  try {
    const kills = await killRandomly(target, KILLS);
    for (const kill of kills) expect(kill).toMatchObject({ running: 0, half: 0, lost: 0 });
  } finally {
    target.remove();
  }
}, 120_000);
