/** What becomes of sessions while the database fails, hangs, and comes back; the clock is moved by hand. */
import { type Observability, observe, SettingsError } from 'binnacle';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createKeeper, type KeeperOptions, type SessionKeeper } from './keeper.ts';
import { openSqlite } from './sqlite.ts';
import type { SessionStore } from './store.ts';

/** `taken`: another instance holds every session. */
type Mode = 'well' | 'refuses' | 'hangs' | 'too large' | 'taken';
const CALLS = ['prepare', 'ping', 'claim', 'save', 'renew', 'sweep', 'get'] as const;

interface Harness {
  readonly keeper: SessionKeeper;
  readonly obs: Observability;
  readonly store: SessionStore;
  /** How the database behaves from the next call on. */
  mode: Mode;
  readonly calls: Record<(typeof CALLS)[number], number>;
  lines(): { level: string; message: string; [field: string]: unknown }[];
  lost(): void;
}

const closers: (() => Promise<void>)[] = [];
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] }));
afterEach(async () => {
  vi.useRealTimers();
  for (const close of closers.splice(0).reverse()) await close();
});

function setUp(options: Partial<KeeperOptions> = {}, store = openSqlite(':memory:')): Harness {
  const written: string[] = [];
  const obs = observe({
    service: 'test',
    env: { LOG_FORMAT: 'json' },
    destination: { write: (line) => written.push(line) },
  });
  const calls = Object.fromEntries(CALLS.map((name) => [name, 0])) as Harness['calls'];
  let mode: Mode = 'well';
  const failing = { ...store, close: () => store.close() };
  for (const name of CALLS) {
    const real = store[name] as (...args: unknown[]) => Promise<unknown>;
    Object.assign(failing, {
      [name]: async (...args: unknown[]) => {
        calls[name] += 1;
        if (mode === 'refuses')
          throw Object.assign(new Error('connect ECONNREFUSED 10.0.0.1'), { code: 'ECONNREFUSED' });
        if (mode === 'hangs') return hang();
        if (mode === 'too large' && name === 'save') throw Object.assign(new Error('x'), { code: '54000' });
        if (mode === 'taken' && name === 'renew') return new Set();
        if (mode === 'taken' && (name === 'save' || name === 'claim')) return false;
        return real(...args);
      },
    });
  }
  let lost = (): void => {};
  const open = (onLost: () => void): SessionStore => {
    lost = onLost;
    return failing;
  };
  const keeper = createKeeper(obs, open, { leaseMs: 15_000, ...options });
  closers.push(
    () => keeper.close(),
    () => obs.close(),
  );
  return {
    keeper,
    obs,
    store,
    calls,
    get mode() {
      return mode;
    },
    set mode(next) {
      mode = next;
    },
    lines: () => written.map((line) => JSON.parse(line) as ReturnType<Harness['lines']>[number]),
    lost: () => lost(),
  };
}

async function started(options?: Partial<KeeperOptions>): Promise<Harness> {
  const harness = setUp(options);
  await harness.keeper.start();
  return harness;
}

/** As the driver does it: at some time it gives up. */
function hang(): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error('Query read timeout')), 5000));
}

/** What a promise gives once the clock has gone on by `ms`. */
async function after<T>(ms: number, promise: Promise<T>): Promise<T> {
  void promise.catch(() => {});
  await vi.advanceTimersByTimeAsync(ms);
  return promise;
}

describe('while the database is well', () => {
  it('a session is claimed, kept, and finished', async () => {
    const { keeper, store } = await started();
    const run = await keeper.begin('s1');
    expect(run.stored).toBe(true);
    await run.keep({ verdict: 'yes' });
    expect(await store.get('s1')).toMatchObject({ status: 'running', analysis: { verdict: 'yes' } });
    await run.finish('complete', 5);
    expect(run.stored).toBe(true);
    expect(await store.get('s1')).toMatchObject({ status: 'complete', duration_ms: 5, analysis: { verdict: 'yes' } });
    expect(await keeper.find('s1')).toEqual(await store.get('s1'));
    expect(await keeper.find('none')).toBeUndefined();
  });

  it('another instance’s session is busy, and runs again once it has ended', async () => {
    const shared = openSqlite(':memory:');
    const [a, b] = [setUp({}, shared), setUp({}, shared)];
    await a.keeper.start();
    await b.keeper.start();
    const run = await a.keeper.begin('s1');
    await expect(b.keeper.begin('s1')).rejects.toMatchObject({ code: 'session_busy', status: 409 });
    await run.finish('complete', 5);
    expect((await b.keeper.begin('s1')).stored).toBe(true);
  });

  it('leases are renewed by one query for all, and swept now and then', async () => {
    const { keeper, calls } = await started({ leaseMs: 3000 });
    expect(calls.renew).toBe(0);
    const runs = [await keeper.begin('s1'), await keeper.begin('s2')];
    await vi.advanceTimersByTimeAsync(3000);
    expect(calls.renew).toBe(3);
    expect(calls.sweep).toBe(2);
    for (const run of runs) await run.finish('complete', 1);
    await vi.advanceTimersByTimeAsync(3000);
    expect(calls.renew).toBe(3);
  });

  it('a lease that was lost is told once, and what that run finds is not stored', async () => {
    const harness = await started({ leaseMs: 3000 });
    const { keeper, lines, calls } = harness;
    const run = await keeper.begin('s1');
    harness.mode = 'taken';
    await vi.advanceTimersByTimeAsync(2000);
    expect(run.stored).toBe(false);
    harness.mode = 'well';
    await run.keep({ a: 1 });
    await run.finish('complete', 5);
    expect(run.stored).toBe(false);
    expect(calls.save).toBe(0);
    expect(lines().filter(({ message }) => message.includes('lease was lost'))).toHaveLength(1);
  });

  it('a run that ends while its lease is being renewed has not lost it', async () => {
    const { keeper, lines } = await started({ leaseMs: 3000 });
    const run = await keeper.begin('s1');
    await Promise.all([vi.advanceTimersByTimeAsync(1000), run.finish('complete', 1)]);
    expect(run.stored).toBe(true);
    expect(lines().filter(({ level }) => level !== 'INFO')).toEqual([]);
  });
});

describe.each(['refuses', 'hangs'] as const)('when the database %s', (trouble) => {
  it('at the begin of a session: it runs all the same, within a second, and is stored once the database is back', async () => {
    const harness = await started();
    const { keeper, store, lines } = harness;
    harness.mode = trouble;
    const run = await after(1000, keeper.begin('s1'));
    expect(run.stored).toBe(false);
    expect(await keeper.find('s1')).toMatchObject({ status: 'running', analysis: null });
    harness.mode = 'well';
    await vi.advanceTimersByTimeAsync(20_000);
    expect(run.stored).toBe(true);
    expect(await store.get('s1')).toMatchObject({ status: 'running' });
    await run.keep({ a: 1 });
    await run.finish('complete', 5);
    expect(await store.get('s1')).toMatchObject({ status: 'complete', analysis: { a: 1 } });
    expect(lines().map(({ level, message }) => `${level} ${message.replace(/: \w+$/, '')}`)).toEqual([
      'WARNING The database cannot be used',
      'INFO The database can be used again',
    ]);
  });

  it('in the middle of one: it waits in the process, is read from there, and is told to be stored late', async () => {
    const harness = await started();
    const { keeper, store, lines } = harness;
    const run = await keeper.begin('s1');
    harness.mode = trouble;
    await after(1000, run.keep({ verdict: 'yes' }));
    expect(run.stored).toBe(false);
    await after(1000, run.finish('complete', 5));
    expect(await keeper.find('s1')).toMatchObject({ status: 'complete', duration_ms: 5, analysis: { verdict: 'yes' } });
    harness.mode = 'well';
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await store.get('s1')).toMatchObject({ status: 'complete', duration_ms: 5, analysis: { verdict: 'yes' } });
    expect(lines().filter(({ session_id }) => session_id === 's1')).toMatchObject([
      { level: 'WARNING', message: '[s1] The session could not be stored yet' },
      { level: 'INFO', message: '[s1] The session was stored late' },
    ]);
  });

  it('nobody waits for it twice, callers are told, and it is looked after less and less often', async () => {
    const harness = await started();
    const { keeper, calls } = harness;
    harness.mode = trouble;
    const first = after(1500, keeper.find('s1'));
    await expect(first).rejects.toMatchObject({ code: 'upstream_unavailable', headers: { 'retry-after': '5' } });
    const before = { ...calls };
    await expect(keeper.find('s1')).rejects.toMatchObject({ code: 'upstream_unavailable' });
    expect((await keeper.begin('s2')).stored).toBe(false);
    expect(calls).toEqual(before);
    await vi.advanceTimersByTimeAsync(60_000);
    const looks = calls.prepare - before.prepare;
    expect(looks).toBeLessThan(25);
  });

  it('at the start: the service starts without it, says that it is not ready, and uses it once it is there', async () => {
    const harness = setUp();
    const { keeper } = harness;
    harness.mode = trouble;
    await after(5000, keeper.start());
    if (trouble === 'refuses') await expect(keeper.ping()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect((await keeper.begin('s1')).stored).toBe(false);
    harness.mode = 'well';
    await keeper.ping().catch(() => {});
    await vi.advanceTimersByTimeAsync(trouble === 'refuses' ? 0 : 20_000);
  });

  it('to the end: one last try is bounded, and what is lost is told', async () => {
    const harness = await started();
    const { keeper, lines } = harness;
    const run = await keeper.begin('s1');
    harness.mode = trouble;
    await after(1000, run.finish('complete', 5));
    await after(1000, keeper.close());
    expect(lines().at(-1)).toMatchObject({
      level: 'ERROR',
      message: '[s1] The session is not stored: the service ends',
    });
  });
});

describe('around an outage', () => {
  it('the last try stores what waits', async () => {
    const harness = await started();
    const { keeper, store } = harness;
    const run = await keeper.begin('s1');
    harness.mode = 'refuses';
    await run.finish('complete', 5);
    harness.mode = 'well';
    const save = vi.spyOn(store, 'close').mockImplementation(async () => {});
    await keeper.close();
    expect(await store.get('s1')).toMatchObject({ status: 'complete' });
    save.mockRestore();
  });

  it('what comes to wait while the database is being looked after is stored too', async () => {
    const store = openSqlite(':memory:');
    let sweeps = 0;
    const sweep = async (): Promise<void> => {
      sweeps += 1;
      if (sweeps > 1) await new Promise((resolve) => setTimeout(resolve, 500));
    };
    const harness = setUp({ leaseMs: 3_600_000 }, { ...store, sweep });
    const { keeper } = harness;
    await keeper.start();
    const [early, late] = [await keeper.begin('early'), await keeper.begin('late')];
    harness.mode = 'refuses';
    await early.finish('complete', 5);
    harness.mode = 'well';
    await vi.advanceTimersByTimeAsync(400);
    expect([sweeps, await store.get('early')]).toMatchObject([2, { status: 'complete' }]);
    await late.finish('complete', 5);
    expect(await store.get('late')).toMatchObject({ status: 'running' });
    await vi.advanceTimersByTimeAsync(500);
    await vi.waitFor(async () => expect(await store.get('late')).toMatchObject({ status: 'complete' }));
  });

  it('what does not fit is dropped, and told by name', async () => {
    const harness = await started({ pending: { rows: 2, bytes: 1e6 } });
    const { keeper, store, lines } = harness;
    harness.mode = 'refuses';
    for (const id of ['s1', 's2', 's3']) await (await keeper.begin(id)).finish('complete', 5);
    harness.mode = 'well';
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await Promise.all(['s1', 's2', 's3'].map((id) => store.get(id)))).toMatchObject([undefined, {}, {}]);
    expect(lines().filter(({ level }) => level === 'ERROR')).toMatchObject([
      { session_id: 's1', message: '[s1] The session is not stored: too many sessions wait to be stored' },
    ]);
  });

  it('a row that the database refuses is dropped and told; it keeps no other waiting', async () => {
    const harness = await started();
    const { keeper, lines } = harness;
    const run = await keeper.begin('s1');
    harness.mode = 'too large';
    await run.finish('complete', 5);
    expect(run.stored).toBe(false);
    harness.mode = 'well';
    const other = await keeper.begin('s2');
    await other.finish('complete', 5);
    expect(other.stored).toBe(true);
    expect(lines().filter(({ level }) => level === 'ERROR')).toMatchObject([{ session_id: 's1' }]);
    expect(lines().some(({ message }) => message.includes('cannot be used'))).toBe(false);
  });

  it('a session that began while the database was away, and runs elsewhere by then, is not stored over that', async () => {
    const harness = await started();
    const { keeper, lines } = harness;
    harness.mode = 'refuses';
    const run = await keeper.begin('s1');
    harness.mode = 'taken';
    await vi.advanceTimersByTimeAsync(20_000);
    harness.mode = 'well';
    await run.finish('complete', 5);
    expect(run.stored).toBe(false);
    expect(lines().filter(({ message }) => message.includes('lease was lost'))).toHaveLength(1);
  });

  it('a connection that broke unused is looked into, and is no outage while the database answers', async () => {
    const harness = await started();
    harness.lost();
    await vi.advanceTimersByTimeAsync(0);
    expect(harness.calls.sweep).toBe(2);
    expect(harness.lines()).toEqual([]);
    harness.mode = 'refuses';
    for (let n = 0; n < 10; n += 1) harness.lost();
    await vi.advanceTimersByTimeAsync(0);
    expect(harness.lines()).toMatchObject([{ level: 'WARNING', logger: 'database', error_code: 'ECONNREFUSED' }]);
  });

  it('a ping that fails is an outage’s begin, and one that is answered its end', async () => {
    const harness = await started();
    const { keeper } = harness;
    harness.mode = 'refuses';
    await expect(keeper.ping()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await vi.advanceTimersByTimeAsync(0);
    expect(harness.lines()).toHaveLength(1);
    harness.mode = 'well';
    await keeper.ping();
    await vi.advanceTimersByTimeAsync(0);
    expect(harness.lines().map(({ level }) => level)).toEqual(['WARNING', 'INFO']);
  });

  it('a setting that is wrong stops the start', async () => {
    const problem = new SettingsError([{ variable: 'DATABASE_URL', value: 'x', allowed: 'y' }]);
    const store = openSqlite(':memory:');
    const { keeper } = setUp({}, { ...store, prepare: () => Promise.reject(problem) });
    await expect(keeper.start()).rejects.toBe(problem);
  });
});
