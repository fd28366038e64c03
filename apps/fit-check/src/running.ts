/** The sessions that run now: each id once, and no more than the service bears. */
import { ServiceError } from './errors.ts';

export interface RunningSessions {
  readonly size: number;
  /** Takes an id; throws `session_busy` or `too_many_sessions`. */
  claim(id: string): void;
  release(id: string): void;
  /** While a session's last words are on their way, resolves once they have been stored; at once for any other. */
  whenStored(id: string): Promise<void>;
  /** From now on `whenStored` waits for `stored`. */
  ending(id: string, stored: Promise<unknown>): void;
}

export function createRunningSessions(max: number): RunningSessions {
  const running = new Set<string>();
  const ending = new Map<string, Promise<unknown>>();
  return {
    get size() {
      return running.size;
    },
    claim(id) {
      if (running.has(id))
        throw new ServiceError(
          'session_busy',
          'This session is running; wait for its end or use another "session_id".',
        );
      if (running.size >= max) {
        throw new ServiceError('too_many_sessions', `The service runs ${max} sessions already; try again.`, {
          'retry-after': '5',
        });
      }
      running.add(id);
    },
    release(id) {
      running.delete(id);
      ending.delete(id);
    },
    whenStored: async (id) => void (await ending.get(id)),
    ending: (id, stored) =>
      void ending.set(
        id,
        stored.catch(() => {}),
      ),
  };
}
