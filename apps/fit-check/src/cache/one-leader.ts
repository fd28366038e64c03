/** One leader for a key, in the process and, where a lock is shared, across instances; the others get what it finds. */
import type { Cache } from './cache.ts';
import { type Clock, realClock, waitFor } from './clock.ts';
import type { Held, Lock } from './lock.ts';
import { createFlights, type Lead, type Turn, type Waiter } from './single-flight.ts';

export interface OneLeader<V> {
  /**
   * Resolves with the right to lead, or with what another leader found. The next one leads where a leader fails, goes
   * away or takes too long; a lock that cannot be asked keeps nobody waiting. Rejects with the signal's reason alone.
   */
  enter(key: string, waiter: Waiter): Promise<Turn<V>>;
}

export interface OneLeaderOptions<V> {
  /** Where a leader's value is found. */
  readonly cache: Pick<Cache<V>, 'peek'>;
  readonly lock?: Lock;
  readonly clock?: Clock;
}

const POLL_MS = 100;

export function createOneLeader<V>({ cache, lock, clock = realClock }: OneLeaderOptions<V>): OneLeader<V> {
  const flights = createFlights<V>(clock);
  return {
    async enter(key, waiter) {
      const turn = await flights.enter(key, waiter);
      if (turn.kind === 'shared' || lock === undefined) return turn;
      try {
        const found = await takeAcross(key, waiter, { cache, lock, clock });
        if (found.kind === 'shared') {
          turn.land(found.value);
          return found;
        }
        turn.begin();
        return withLock(turn, found.held);
      } catch (error) {
        turn.land();
        throw error;
      }
    },
  };
}

type Found<V> = { readonly kind: 'lead'; readonly held?: Held } | { readonly kind: 'shared'; readonly value: V };

async function takeAcross<V>(
  key: string,
  { signal, patienceMs }: Waiter,
  { cache, lock, clock }: Required<OneLeaderOptions<V>>,
): Promise<Found<V>> {
  const since = clock.now();
  let held: Held | undefined;
  try {
    for (;;) {
      // In one go, and looked for behind the lock: its last holder put the value there before it let go.
      const [taken, seen] = await Promise.allSettled([lock.take(key), cache.peek(key)]);
      if (taken.status === 'fulfilled') held = taken.value;
      signal.throwIfAborted();
      const value = resultOf(seen);
      if (value !== undefined) {
        held?.release();
        return { kind: 'shared', value };
      }
      resultOf(taken);
      if (held !== undefined || clock.now() - since >= patienceMs()) return { kind: 'lead', held };
      await waitFor(clock, { ms: POLL_MS * (1 + Math.random()), signal });
    }
  } catch (error) {
    if (signal.aborted) {
      held?.release();
      throw error;
    }
    return { kind: 'lead', held };
  }
}

function resultOf<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}

function withLock<V>(lead: Lead<V>, held: Held | undefined): Lead<V> {
  return {
    kind: 'lead',
    land(value) {
      held?.release();
      lead.land(value);
    },
  };
}
