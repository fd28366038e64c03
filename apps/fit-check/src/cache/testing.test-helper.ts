/** What the tests of this room share: a clock moved by hand, and Redis as a double that is told how it does. */
import type { Clock } from './clock.ts';
import { type RedisClient, RedisError } from './redis.ts';

export interface ManualClock extends Clock {
  /** Moves on, and calls what is due on the way; lets what that began come to rest. */
  advance(ms: number): Promise<void>;
  /** Timers that wait. */
  readonly timers: number;
}

export function createClock(): ManualClock {
  let now = 1000;
  const timers = new Set<{ at: number; run: () => void }>();
  return {
    now: () => now,
    setTimer(run, ms) {
      const timer = { at: now + ms, run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    get timers() {
      return timers.size;
    },
    async advance(ms) {
      const end = now + ms;
      for (;;) {
        await settled();
        const [next] = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        now = next.at;
        timers.delete(next);
        next.run();
      }
      now = end;
      await settled();
    },
  };
}

/** Everything that was promised has been told. */
export async function settled(): Promise<void> {
  for (let round = 0; round < 3; round += 1) await new Promise((resolve) => setImmediate(resolve));
}

export interface RedisDouble extends RedisClient {
  available: boolean;
  /** Fails each command that is asked for now. */
  failing: boolean;
  readonly kept: Map<string, { value: string; expiresAt: number }>;
  /** Commands so far, by name. */
  readonly asked: string[];
}

/** Scripts are told apart by what they call. */
export function createRedisDouble(clock: Clock): RedisDouble {
  const kept: RedisDouble['kept'] = new Map();
  const asked: string[] = [];
  const read = (key: string): string | null => {
    const found = kept.get(key);
    return found === undefined || found.expiresAt <= clock.now() ? null : found.value;
  };
  const command = async <T>(name: string, work: () => T): Promise<T> => {
    asked.push(name);
    if (double.failing || !double.available) throw new RedisError('timeout');
    return work();
  };
  const double: RedisDouble = {
    available: true,
    failing: false,
    kept,
    asked,
    get: (key) => command('get', () => read(key)),
    set: (key, value, ttlMs) => command('set', () => void kept.set(key, { value, expiresAt: clock.now() + ttlMs })),
    setIfFree: (key, value, ttlMs) =>
      command('setIfFree', () => {
        if (read(key) !== null) return false;
        kept.set(key, { value, expiresAt: clock.now() + ttlMs });
        return true;
      }),
    run: (script, key, [token = '', ttl = '0']) =>
      command(script.includes("'del'") ? 'release' : 'renew', () => {
        if (read(key) !== token) return 0;
        if (script.includes("'del'")) kept.delete(key);
        else kept.set(key, { value: token, expiresAt: clock.now() + Number(ttl) });
        return 1;
      }),
    ping: () => command('ping', () => undefined),
    close: () => {},
  };
  return double;
}
