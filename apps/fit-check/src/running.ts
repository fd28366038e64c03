/** The sessions that run now: each id once, and no more than the service bears. */
import { ServiceError } from './errors.ts';

export interface RunningSessions {
  readonly size: number;
  /** Takes an id; throws `session_busy` or `too_many_sessions`. */
  claim(id: string): void;
  /** Gives an id back that was taken for nothing. */
  release(id: string): void;
  /** While a session's last words are on their way, resolves once they have been stored; at once for any other. */
  whenStored(id: string): Promise<void>;
  /** The id is free again once `stored` resolves, and `whenStored` waits for it. */
  ending(id: string, stored: Promise<void>): void;
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
    release: (id) => void running.delete(id),
    whenStored: async (id) => void (await ending.get(id)),
    ending(id, stored) {
      ending.set(id, stored);
      void stored.then(() => {
        running.delete(id);
        ending.delete(id);
      });
    },
  };
}
