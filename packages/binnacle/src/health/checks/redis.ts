import type { Check } from '../check.ts';

/**
 * A Redis or Valkey that answers `PING`, by any client that has `ping()` (ioredis, redis). Unhealthy when it fails, with
 * its error's code.
 */
export function redis(client: { ping(): Promise<unknown> }): Check {
  return async () => {
    await client.ping();
  };
}
