/** Requests at a steady rate, and what their users got. */
import { setTimeout as wait } from 'node:timers/promises';
import { ask } from '../events.ts';

export interface Answer {
  /** When it was asked for, in milliseconds since the traffic began. */
  readonly askedAt: number;
  readonly tookMs: number;
  /** `complete`, `complete (degraded)`, an error's code, `HTTP 503`, `cut` for a stream without a last event, `failed` without an answer. */
  readonly got: string;
}

export interface Traffic {
  /** Milliseconds since it began. */
  now(): number;
  /** Answers so far. */
  readonly answers: readonly Answer[];
  /** Asks no more, and resolves once every answer is there. */
  stop(): Promise<void>;
}

let queries = 0;

/** Asks `perSecond` times a second, each time something new, so that no cache answers for the servers behind it. */
export function startTraffic(url: string, perSecond: number): Traffic {
  const startedAt = performance.now();
  const answers: Answer[] = [];
  const running = new Set<Promise<void>>();
  let stopped = false;
  const one = async (): Promise<void> => {
    const askedAt = performance.now();
    queries += 1;
    const got = await ask(url, {
      query: `engineer ${queries} TypeScript`,
      session_id: `chaos-${process.pid}-${queries}`,
    }).then(toWord, () => 'failed');
    answers.push({ askedAt: askedAt - startedAt, tookMs: performance.now() - askedAt, got });
  };
  const loop = (async () => {
    for (let sent = 0; !stopped; sent += 1) {
      const asked = one().finally(() => running.delete(asked));
      running.add(asked);
      await wait(Math.max(0, startedAt + ((sent + 1) * 1000) / perSecond - performance.now()));
    }
  })();
  return {
    now: () => performance.now() - startedAt,
    answers,
    async stop() {
      stopped = true;
      await loop;
      await Promise.all(running);
    },
  };
}

function toWord(stream: Awaited<ReturnType<typeof ask>>): string {
  if (stream.status !== 200) return `HTTP ${stream.status}`;
  const last = stream.events.at(-1);
  if (last?.event === 'error') return String(last.data.code);
  if (last?.event !== 'complete') return last?.event === 'shutdown' ? 'shutdown' : 'cut';
  const degraded = stream.events.some(({ data }) => /"(fallback|cache)":"/.test(JSON.stringify(data.data ?? {})));
  return degraded ? 'complete (degraded)' : 'complete';
}

/** Answers by what they were, the most first. */
export function tally(answers: readonly Answer[]): string {
  const counts = new Map<string, number>();
  for (const { got } of answers) counts.set(got, (counts.get(got) ?? 0) + 1);
  return (
    [...counts]
      .sort(([, a], [, b]) => b - a)
      .map(([got, count]) => `${got} ${count}`)
      .join(', ') || '-'
  );
}

/** The slowest of most answers: their 95th percentile, in milliseconds. */
export function p95(answers: readonly Answer[]): number {
  const sorted = answers.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  return Math.round(sorted[Math.floor(sorted.length * 0.95)] ?? 0);
}
