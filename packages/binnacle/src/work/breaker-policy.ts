/** Which calls a breaker lets in: failures in a row open it, and after its rest one call at a time probes. */
import type { Clock } from '../signals.ts';
import type { BreakerState } from './breaker-record.ts';

export interface BreakerOptions {
  /** Consecutive failures that open it; 5 unless told. */
  readonly failures?: number;
  /** How long it stays open before a call may probe, in milliseconds; 30,000 unless told. */
  readonly openMs?: number;
}

/** What a call says of the service behind the breaker; `nothing` where it was cancelled. */
export type Verdict = 'up' | 'down' | 'nothing';

export interface BreakerPolicy {
  /** Lets a call in, and gives how to settle it once; undefined where it is refused. */
  letIn(): ((verdict: Verdict) => void) | undefined;
}

type State =
  | { readonly is: 'closed'; failures: number }
  | { readonly is: 'open'; readonly until: number }
  | { readonly is: 'half_open' };

/** Starts closed. `onMove` is told each new state. */
export function createPolicy(
  { failures = 5, openMs = 30_000 }: BreakerOptions,
  clock: Pick<Clock, 'now'>,
  onMove: (to: BreakerState) => void,
): BreakerPolicy {
  let state: State = { is: 'closed', failures: 0 };
  const move = (to: State): void => {
    state = to;
    onMove(to.is);
  };
  const open = (restMs: number): void => move({ is: 'open', until: clock.now() + restMs });
  const settleProbe = (verdict: Verdict): void => {
    if (verdict === 'up') move({ is: 'closed', failures: 0 });
    // A probe that was cancelled is no proof either way: the next call may probe at once.
    else open(verdict === 'down' ? openMs : 0);
  };
  return {
    letIn() {
      if (state.is === 'half_open' || (state.is === 'open' && clock.now() < state.until)) return undefined;
      if (state.is === 'open') move({ is: 'half_open' });
      const entered = state;
      return (verdict) => {
        // What was let in before the breaker moved says nothing of the service as it is now.
        if (entered !== state) return;
        if (entered.is !== 'closed') settleProbe(verdict);
        else if (verdict === 'up') entered.failures = 0;
        else if (verdict === 'down') {
          entered.failures += 1;
          if (entered.failures >= failures) open(openMs);
        }
      };
    },
  };
}
