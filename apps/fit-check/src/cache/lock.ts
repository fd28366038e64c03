/** A lock across instances, in Redis: it expires with who held it, and only who holds it lets it go. */
import { randomUUID } from 'node:crypto';
import { type Clock, realClock } from './clock.ts';
import type { RedisClient } from './redis.ts';
import { keyOf } from './tiered.ts';

export interface Lock {
  /** Takes it, or gives undefined while another has it. Rejects where Redis cannot be asked. */
  take(key: string): Promise<Held | undefined>;
}

export interface Held {
  /** Lets it go, in the background; where that fails, it expires. */
  release(): void;
}

export interface LockOptions {
  readonly redis: Pick<RedisClient, 'setIfFree' | 'run'>;
  readonly clock?: Clock;
  /** How long it outlives its holder, in milliseconds. */
  readonly ttlMs?: number;
}

const TTL_MS = 5000;
const RENEW = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0`;
const RELEASE = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0`;

export function createLock({ redis, clock = realClock, ttlMs = TTL_MS }: LockOptions): Lock {
  return {
    async take(key) {
      const name = keyOf('lock', key);
      const token = randomUUID();
      if (!(await redis.setIfFree(name, token, ttlMs))) return undefined;
      let cancel = (): void => {};
      let released = false;
      // A renewal that fails is tried again; a lock that was lost costs a second answer to one question, no more.
      const renewLater = (): void => {
        cancel = clock.setTimer(() => {
          void redis
            .run(RENEW, name, [token, String(ttlMs)])
            .catch(() => {})
            .then(() => {
              if (!released) renewLater();
            });
        }, ttlMs / 3);
      };
      renewLater();
      return {
        release() {
          if (released) return;
          released = true;
          cancel();
          void redis.run(RELEASE, name, [token]).catch(() => {});
        },
      };
    },
  };
}
