/** Three instances over one PostgreSQL and one Redis, asked for the same sessions at once, one of them killed. */
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { openStream, type Stream } from './events.ts';
import { type LlmDouble, startLlm } from './llm-double.ts';
import { value } from './metrics.ts';
import { hasPostgres, type PostgresServer, startPostgres, WITHOUT_POSTGRES } from './servers/postgres.ts';
import { type RedisServer, skipsRedis, startRedis, WITHOUT_REDIS } from './servers/redis.ts';
import { type LogLine, type Service, startService } from './service.ts';
import { until } from './until.ts';

const INSTANCES = 3;
const CLIENTS = 30;
const IDS = 50;
const REQUESTS = 300;
const KILL_AFTER = 100;
/** What the lock has to have refused until then, lest the test prove nothing. */
const REFUSED_AT_LEAST = 10;
/** How often the LLM lets go of what it holds: sessions take up to this, and their own work. */
const RELEASE_MS = 200;
const VICTIM = 0;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Job {
  readonly id: string;
  readonly query: string;
  /** The instance that is asked first. */
  readonly first: number;
}

/** Neighbours in the queue ask different instances for one id, and are taken at the same time. */
function createJobs(): Job[] {
  return Array.from({ length: REQUESTS }, (_, n) => ({
    id: `shared-${Math.floor(n / 2) % IDS}`,
    // Each asks something new: an answer out of the cache would be over at once.
    query: `engineer ${n} TypeScript`,
    first: (Math.floor(n / 2) + (n % 2)) % INSTANCES,
  }));
}

type Answer = 'complete' | 'busy' | 'cut' | 'unreachable';

/** One try to have a job done. */
interface Try {
  readonly id: string;
  readonly instance: number;
  readonly answer: Answer;
  /** The job's first try, at an instance other than its neighbour's first. */
  readonly first: boolean;
}

interface Load {
  /** Tries that have ended, in the order of their ends. */
  readonly tries: readonly Try[];
  /** Streams that are open now, by the instance that serves them. */
  readonly open: readonly ReadonlySet<Stream>[];
  readonly ended: Promise<unknown>;
}

function startLoad(urls: readonly string[]): Load {
  const jobs = createJobs();
  const tries: Try[] = [];
  const open = urls.map(() => new Set<Stream>());
  const attempt = async (job: Job, instance: number): Promise<Answer> => {
    const streams = open[instance] as Set<Stream>;
    let stream: Stream;
    try {
      stream = await openStream(urls[instance] as string, { query: job.query, session_id: job.id });
    } catch {
      return 'unreachable';
    }
    streams.add(stream);
    await stream.ended;
    streams.delete(stream);
    return toAnswer(stream);
  };
  const client = async (): Promise<void> => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      for (let n = 0; ; n += 1) {
        const instance = (job.first + n) % urls.length;
        const answer = await attempt(job, instance);
        tries.push({ id: job.id, instance, answer, first: n === 0 });
        if (answer === 'complete') break;
        await wait(25 + 50 * Math.random());
      }
    }
  };
  return { tries, open, ended: Promise.all(Array.from({ length: CLIENTS }, client)) };
}

/** Throws for what no client of this test may meet. */
function toAnswer({ status, events }: Stream): Answer {
  if (status === 409) return 'busy';
  const last = events.at(-1);
  if (last?.event === 'complete') return 'complete';
  if (status !== 200 || last?.event === 'error' || last?.event === 'shutdown')
    throw new Error(`it answered ${status} ${JSON.stringify(last?.data)}`);
  return 'cut';
}

const count = (tries: readonly Try[], answer: Answer): number => tries.filter((one) => one.answer === answer).length;
/** How often two instances were asked for one id at once: the first tries of two neighbours ask two of them. */
const countRefusedAtOnce = (tries: readonly Try[]): number =>
  count(
    tries.filter(({ first }) => first),
    'busy',
  );

/**
 * Kills an instance in the middle of the load, while it serves streams of which the LLM has said a part only; gives the
 * time of it, and what had been answered before.
 */
async function killBusy(victim: Service, load: Load, llm: LlmDouble): Promise<{ at: number; before: Try[] }> {
  const stopReleasing = keepReleasing(llm);
  const isUnderWay = (): boolean =>
    count(load.tries, 'complete') >= KILL_AFTER && countRefusedAtOnce(load.tries) > REFUSED_AT_LEAST;
  await until('a part is done, and the lock was contended', isUnderWay, 30_000).finally(stopReleasing);
  const open = load.open[VICTIM] as ReadonlySet<Stream>;
  // What is open by now may be over before the kill; what comes from here on is held.
  const earlier = new Set(open);
  llm.release();
  const held = (stream: Stream): boolean =>
    !earlier.has(stream) && stream.events.some(({ event }) => event === 'response');
  await until('the one to be killed serves some', () => [...open].filter(held).length >= 2);
  const at = Date.now();
  victim.kill('SIGKILL');
  const before = [...load.tries];
  await victim.exited;
  return { at, before };
}

/** Lets go of what the LLM holds, again and again; what it returns ends that, and the test's end does. */
function keepReleasing(llm: LlmDouble): () => void {
  const timer = setInterval(() => llm.release(), RELEASE_MS);
  const end = (): void => clearInterval(timer);
  cleanups.push(end);
  return end;
}

/** One run of a session by an instance's own lines, in milliseconds since 1970. */
interface Run {
  readonly id: string;
  readonly instance: number;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** An instance that is killed in the middle of a write leaves a line that is not whole. */
function linesOf({ output }: Service): LogLine[] {
  return output.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line) as LogLine);
}

/** `endOf` tells when a run ended that has no closing line, by its last line. */
function runsOf(service: Service, instance: number, endOf: (id: string, lastAt: number) => number): Run[] {
  const runs: Run[] = [];
  const going = new Map<string, { startedAt: number; lastAt: number }>();
  for (const { message, timestamp } of linesOf(service)) {
    const [, id, rest] = /^\[(shared-\d+)\] (.*)$/s.exec(message) ?? [];
    if (id === undefined || rest === undefined) continue;
    const at = Date.parse(timestamp);
    const run = going.get(id);
    if (rest === 'Request started') {
      if (run !== undefined) throw new Error(`${id} was started twice by one instance, and ended in between by none`);
      going.set(id, { startedAt: at, lastAt: at });
    } else if (run !== undefined && rest === 'Request completed') {
      runs.push({ id, instance, startedAt: run.startedAt, endedAt: at });
      going.delete(id);
    } else if (run !== undefined) run.lastAt = at;
  }
  for (const [id, { startedAt, lastAt }] of going) runs.push({ id, instance, startedAt, endedAt: endOf(id, lastAt) });
  return runs;
}

/** Pairs of runs of one id of which the later began before the earlier had ended. */
function overlaps(runs: readonly Run[]): [Run, Run][] {
  const latest = new Map<string, Run>();
  const found: [Run, Run][] = [];
  for (const run of [...runs].sort((a, b) => a.startedAt - b.startedAt)) {
    const before = latest.get(run.id);
    if (before !== undefined && run.startedAt < before.endedAt) found.push([before, run]);
    if (before === undefined || run.endedAt > before.endedAt) latest.set(run.id, run);
  }
  return found;
}

/**
 * A killed instance's sessions end at the kill, but for those whose `complete` was read: their closing line was lost
 * (lines are written some milliseconds late), and another instance may rightly have begun anew by then.
 */
function runsOfKilled(victim: Service, tries: readonly Try[], killedAt: number): Run[] {
  const closings = (id: string): number =>
    linesOf(victim).filter(({ message }) => message === `[${id}] Request completed`).length;
  const told = (id: string): number =>
    count(
      tries.filter((one) => one.instance === VICTIM && one.id === id),
      'complete',
    );
  return runsOf(victim, VICTIM, (id, lastAt) => (told(id) > closings(id) ? lastAt : killedAt));
}

/** Every one of the ids has ended well in the database, and the instances that live know of none that runs. */
async function expectRest(postgres: PostgresServer, living: readonly Service[]): Promise<void> {
  const statuses = (): Promise<{ status: string; count: string }[]> =>
    postgres.query(postgres.url(), 'SELECT status, count(*) AS count FROM sessions GROUP BY status');
  await until('the last row is written', async () => (await statuses()).every(({ status }) => status !== 'running'));
  expect(await statuses()).toEqual([{ status: 'complete', count: String(IDS) }]);
  for (const { url } of living)
    await until('its gauge is 0', async () => (await value(url, 'fit_check_active_sessions')) === 0);
}

function report(tries: readonly Try[], runs: readonly Run[], refusedAtOnce: number): void {
  const tally = (['complete', 'busy', 'cut', 'unreachable'] as const).map((one) => `${count(tries, one)} ${one}`);
  const times = runs.map(({ startedAt, endedAt }) => endedAt - startedAt).sort((a, b) => a - b);
  const median = times[Math.floor(times.length / 2)];
  process.stdout.write(
    `instances: ${tally.join(', ')}; busy for ${refusedAtOnce} of the first tries before the kill; ` +
      `${runs.length} runs, half of them over within ${median} ms\n`,
  );
}

async function startAll(): Promise<{ postgres: PostgresServer; llm: LlmDouble; services: Service[] }> {
  const begin = async <T>(start: Promise<T>, end: (made: T) => unknown): Promise<T> => {
    const made = await start;
    cleanups.push(() => end(made));
    return made;
  };
  const [postgres, redis, llm] = await Promise.all([
    begin<PostgresServer>(startPostgres(), (made) => made.close()),
    begin<RedisServer>(startRedis(), (made) => made.close()),
    begin(startLlm({ kind: 'hold' }), (made) => made.close()),
  ]);
  const env = {
    DATABASE_URL: postgres.url(),
    REDIS_URL: redis.url,
    OPENAI_BASE_URL: llm.url,
    LLM_MODEL: 'double-1',
    SESSION_LEASE_MS: '1500',
  };
  const services = await Promise.all(
    Array.from({ length: INSTANCES }, () => begin(startService(env), (made) => made.stop())),
  );
  return { postgres, llm, services };
}

/** Lines of sessions; other requests have ids of their own. */
function countLines(services: readonly Service[], end: string): number {
  const lines = services.flatMap(linesOf);
  return lines.filter(({ message }) => message.startsWith('[shared-') && message.endsWith(`] ${end}`)).length;
}

/** Gives the runs of those that live: one for each `complete`, as whoever is refused starts nothing. */
async function runsOfLiving(living: readonly Service[], tries: readonly Try[]): Promise<Run[]> {
  const told = count(
    tries.filter(({ instance }) => instance !== VICTIM),
    'complete',
  );
  await until('all closing lines are there', () => countLines(living, 'Request completed') >= told);
  expect(countLines(living, 'Request started')).toBe(told);
  // While the database is away a session runs without the lock: then this test would prove nothing.
  for (const part of ['cannot be used', 'lease was lost'])
    expect(living.flatMap(linesOf).filter(({ message }) => message.includes(part))).toEqual([]);
  const never = (id: string): never => {
    throw new Error(`${id} has no closing line`);
  };
  return living.flatMap((service, n) => runsOf(service, n + 1, never));
}

const missing = [...(hasPostgres() ? [] : [WITHOUT_POSTGRES]), ...(skipsRedis() ? [WITHOUT_REDIS] : [])];
const title = `${REQUESTS} requests for ${IDS} sessions at ${INSTANCES} instances, one of them killed: all complete`;

it.skipIf(missing.length > 0)([title, ...missing].join('; '), { timeout: 90_000 }, async () => {
  const { postgres, llm, services } = await startAll();
  const [victim, ...living] = services as [Service, ...Service[]];
  const load = startLoad(services.map(({ url }) => url));
  const kill = killBusy(victim, load, llm).finally(() => keepReleasing(llm));
  // A client that fails ends the test at once, and tells why.
  await Promise.all([load.ended, kill]);
  const { at, before } = await kill;

  expect(count(load.tries, 'complete')).toBe(REQUESTS);
  expect(count(load.tries, 'cut')).toBeGreaterThanOrEqual(2);
  const refusedAtOnce = countRefusedAtOnce(before);
  expect(refusedAtOnce).toBeGreaterThan(REFUSED_AT_LEAST);
  await expectRest(postgres, living);
  const runs = [...runsOfKilled(victim, load.tries, at), ...(await runsOfLiving(living, load.tries))];
  report(load.tries, runs, refusedAtOnce);
  expect(overlaps(runs)).toEqual([]);
});
