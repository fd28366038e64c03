import type { Check } from '../check.ts';

/**
 * A database that answers a query of yours, `SELECT 1` by custom. Unhealthy when the query fails, with its error's code.
 * @example obs.health.check('database', database(() => pool.query('SELECT 1')));
 */
export function database(query: () => Promise<unknown>): Check {
  return async () => {
    await query();
  };
}
