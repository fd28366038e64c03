/** What is told of a breaker, ours or the user's own: its state, its transitions, the time it spent open. */
import type { Series, Signals } from '../signals.ts';

export type BreakerState = 'closed' | 'open' | 'half_open';
export const BREAKER_STATES: readonly BreakerState[] = ['closed', 'open', 'half_open'];
const TRANSITIONS: readonly (readonly [BreakerState, BreakerState])[] = [
  ['closed', 'open'],
  ['open', 'half_open'],
  ['half_open', 'closed'],
  ['half_open', 'open'],
];

export interface BreakerRecord {
  readonly state: BreakerState;
  /** Tells a new state; the same again changes nothing. */
  moved(to: BreakerState): void;
}

/** Starts the record of a service's breaker, closed; its series exist at 0 from now on. */
export function createBreakerRecord(service: string, signals: Signals): BreakerRecord {
  const { meters, clock } = signals;
  const gauge: Series = meters.breakerState.bind({ service });
  const openSeconds = meters.breakerOpenSeconds.bind({ service });
  for (const [from, to] of TRANSITIONS) meters.breakerTransitions.bind({ service, from, to });
  let state: BreakerState = 'closed';
  let countedTo = 0;
  gauge.set(0);
  signals.onlooker?.breaker(service, state);

  const count = (): void => {
    const now = clock.now();
    if (state === 'open') openSeconds.inc((now - countedTo) / 1000);
    countedTo = now;
  };
  signals.beforeScrape(count);
  return {
    get state() {
      return state;
    },
    moved(to) {
      if (to === state) return;
      count();
      meters.breakerTransitions.bind({ service, from: state, to }).inc();
      state = to;
      gauge.set(BREAKER_STATES.indexOf(to));
      signals.onlooker?.breaker(service, to);
    },
  };
}
