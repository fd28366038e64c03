/** `GET /api/fit-check/sessions/:id`: a stored analysis. */
import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { ServiceError } from '../errors.ts';
import type { RunningSessions } from '../running.ts';
import type { SessionKeeper } from '../store/keeper.ts';

/** How long the caller waits for a session's last words to be stored, in milliseconds. */
const LAST_WORDS_MS = 2000;

export function sessionsRoute(app: FastifyInstance, keeper: SessionKeeper, running: RunningSessions): void {
  app.get<{ Params: { id: string } }>('/api/fit-check/sessions/:id', async (request) => {
    const { id } = request.params;
    const session = await keeper.find(id);
    if (session === undefined) throw new ServiceError('not_found', 'There is no session of this id.');
    if (session.status !== 'running' || session.analysis === null) return session;
    // Its analysis is whole and its last words are on their way: the caller may have read `complete` already.
    const late = new AbortController();
    const deadline = wait(LAST_WORDS_MS, undefined, { signal: late.signal }).catch(() => {});
    await Promise.race([running.whenStored(id), deadline]);
    late.abort();
    return (await keeper.find(id)) ?? session;
  });
}
