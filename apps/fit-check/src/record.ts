/** A session's row, written as the session goes. A database that fails costs nobody an answer. */
import type { Ending, Session } from 'binnacle';
import type { SessionRun } from './store/keeper.ts';
import type { SessionStatus } from './store/store.ts';

export interface SessionRecord {
  /** Keeps what was found; resolves once it is written, or could not be. */
  keep(analysis: object): Promise<void>;
  /** Resolves once the row says how the session ended, or waits in the process to say so. */
  readonly settled: Promise<void>;
}

/**
 * Ends the row when the session is settled. The closing line says `stored: false` for what the database did not have
 * by then.
 */
export function recordSession(run: SessionRun, session: Session): SessionRecord {
  const say = (): void => session.note({ stored: run.stored ? undefined : false });
  if (!run.stored) say();
  const settled = session.settled.then((ending) => run.finish(statusOf(ending), ending.durationMs));
  return {
    settled,
    async keep(analysis) {
      await run.keep(analysis);
      say();
    },
  };
}

function statusOf({ outcome, errorType }: Ending): SessionStatus {
  if (errorType === 'shutdown') return 'interrupted';
  return outcome === 'success' ? 'complete' : outcome;
}
