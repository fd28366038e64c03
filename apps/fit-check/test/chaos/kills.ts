/** SIGKILL at random moments under load, start again, and what the database says then of every session. */
import { setTimeout as wait } from 'node:timers/promises';
import { openStream } from '../events.ts';
import { type Service, startService } from '../service.ts';
import { until } from '../until.ts';

/** A database as the service is told of it, and as it is looked into behind the service's back. */
export interface Target {
  /** The service's folder; its own where it is left out. */
  readonly folder?: string;
  readonly env: Readonly<Record<string, string>>;
  rows(): Promise<readonly Row[]>;
  /** Throws when the database itself is not sound. */
  check(): Promise<void>;
}

export interface Row {
  readonly session_id: string;
  readonly status: string;
  readonly duration_ms: number | null;
  readonly analysis: string | null;
}

/** One kill and its consequences, over the sessions that were begun before it. */
export interface Kill {
  readonly afterMs: number;
  readonly asked: number;
  /** Whose caller read `complete`. */
  readonly told: number;
  readonly complete: number;
  readonly interrupted: number;
  readonly absent: number;
  readonly running: number;
  readonly half: number;
  /** Told `complete`, and without a whole analysis in the database. */
  readonly lost: number;
}

const WORKERS = 8;
const SPREAD_MS = 700;
const LEASE_MS = 1000;

export async function killRandomly(target: Target, kills: number): Promise<Kill[]> {
  const results: Kill[] = [];
  for (let n = 0; n < kills; n += 1) {
    const service = await startService({ ...target.env, SESSION_LEASE_MS: String(LEASE_MS) }, target.folder);
    const afterMs = Math.round(Math.random() * SPREAD_MS);
    const load = startLoad(service, `kill-${n}`);
    // Every third kill hits a service that has only begun, the others one that writes all the time.
    if (n % 3 !== 0) await load.flowing;
    await wait(afterMs);
    service.kill('SIGKILL');
    await service.exited;
    const { asked, told } = await load.ended;
    await service.stop();
    const rows = await rowsAfterRestart(target, `kill-${n}`);
    results.push({ afterMs, asked: asked.size, told: told.size, ...judge(rows, asked, told) });
  }
  await target.check();
  return results;
}

interface Load {
  /** Resolves once a session is complete. */
  readonly flowing: Promise<void>;
  readonly ended: Promise<{ readonly asked: ReadonlySet<string>; readonly told: ReadonlySet<string> }>;
}

/**
 * As many sessions as the service bears, until it is gone. Few questions, whose answers are cached then: what it does
 * most is to write rows.
 */
function startLoad(service: Service, prefix: string): Load {
  let flows = (): void => {};
  const flowing = new Promise<void>((resolve) => {
    flows = resolve;
  });
  const asked = new Set<string>();
  const told = new Set<string>();
  const worker = async (name: number): Promise<void> => {
    for (let n = 0; ; n += 1) {
      const id = `${prefix}-${name}-${n}`;
      asked.add(id);
      try {
        const stream = await openStream(service.url, { query: `engineer ${name % 4}`, session_id: id });
        await stream.ended;
        if (stream.events.at(-1)?.event !== 'complete') return;
        told.add(id);
        flows();
      } catch {
        return;
      }
    }
  };
  const ended = Promise.all(Array.from({ length: WORKERS }, (_, name) => worker(name))).then(() => ({ asked, told }));
  return { flowing, ended };
}

/** Starts the service again, and waits until nothing says that it runs, for as long as leases last. */
async function rowsAfterRestart(target: Target, prefix: string): Promise<readonly Row[]> {
  const service = await startService({ ...target.env, SESSION_LEASE_MS: String(LEASE_MS) }, target.folder);
  try {
    const rows = async (): Promise<Row[]> =>
      (await target.rows()).filter((row) => row.session_id.startsWith(`${prefix}-`));
    await until(
      'no session is running',
      async () => (await rows()).every(({ status }) => status !== 'running'),
      5 * LEASE_MS,
    ).catch(() => {});
    return await rows();
  } finally {
    await service.stop();
  }
}

function judge(
  rows: readonly Row[],
  asked: ReadonlySet<string>,
  told: ReadonlySet<string>,
): Omit<Kill, 'afterMs' | 'asked' | 'told'> {
  const count = (is: (row: Row) => boolean): number => rows.filter(is).length;
  const whole = new Set(
    rows.filter((row) => row.analysis !== null && isWhole(row.analysis)).map((row) => row.session_id),
  );
  return {
    complete: count(({ status }) => status === 'complete'),
    interrupted: count(({ status }) => status === 'interrupted'),
    absent: asked.size - rows.length,
    running: count(({ status }) => status === 'running'),
    half: count((row) => (row.analysis === null ? row.status === 'complete' : !whole.has(row.session_id))),
    lost: [...told].filter((id) => !whole.has(id)).length,
  };
}

function isWhole(analysis: string): boolean {
  try {
    const { phases, verdict } = JSON.parse(analysis) as { phases: { phase: string }[]; verdict: string };
    return phases.map(({ phase }) => phase).join() === PHASES && verdict.length > 0;
  } catch {
    return false;
  }
}

const PHASES = 'connecting,deep_research,skills_matching,gap_analysis,verdict';

/** The table of a run, for the eye. */
export function toTable(title: string, kills: readonly Kill[]): string {
  const columns = ['afterMs', 'asked', 'told', 'complete', 'interrupted', 'absent', 'running', 'half', 'lost'] as const;
  const sums = columns.map((name) => (name === 'afterMs' ? 'all' : kills.reduce((sum, kill) => sum + kill[name], 0)));
  const lines = [columns, ...kills.map((kill) => columns.map((name) => kill[name])), sums];
  return [title, ...lines.map((line) => line.map((cell) => String(cell).padStart(11)).join(' '))].join('\n');
}
