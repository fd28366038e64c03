/** A session's row, written as the session goes. A database that fails costs the row, not the answer. */
import type { Ending, Observability, Session } from 'binnacle';
import type { SessionStatus, SessionStore } from './store.ts';

export interface SessionRecord {
  /** Keeps what was found; resolves once it is written, or could not be. */
  keep(analysis: object): Promise<void>;
  /** Resolves once the row says how the session ended. */
  readonly settled: Promise<void>;
}

/** Begins the row, and ends it when the session is settled. The closing line says `stored: false` when it could not. */
export function recordSession(obs: Observability, store: SessionStore, session: Session): SessionRecord {
  let failed = false;
  const write = async (work: () => Promise<void>): Promise<void> => {
    if (failed) return;
    try {
      await work();
    } catch (error) {
      failed = true;
      session.note({ stored: false });
      obs.log.error({ error }, `[${session.id}] The session could not be stored`);
    }
  };
  const begun = write(() => store.begin(session.id));
  const settled = session.settled.then(async (ending) => {
    await begun;
    await write(() => store.finish(session.id, statusOf(ending), ending.durationMs));
  });
  return {
    settled,
    keep: async (analysis) => {
      await begun;
      await write(() => store.keep(session.id, analysis));
    },
  };
}

function statusOf({ outcome, errorType }: Ending): SessionStatus {
  if (errorType === 'shutdown') return 'interrupted';
  return outcome === 'success' ? 'complete' : outcome;
}
