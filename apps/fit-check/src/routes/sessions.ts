/** `GET /api/fit-check/sessions/:id`: a stored analysis. */
import type { FastifyInstance } from 'fastify';
import { ServiceError } from '../errors.ts';
import type { RunningSessions } from '../running.ts';
import type { SessionStore } from '../store.ts';

export function sessionsRoute(app: FastifyInstance, store: SessionStore, running: RunningSessions): void {
  app.get<{ Params: { id: string } }>('/api/fit-check/sessions/:id', async (request) => {
    const { id } = request.params;
    const session = await store.get(id);
    if (session === undefined) throw new ServiceError('not_found', 'There is no session of this id.');
    if (session.status !== 'running' || session.analysis === null) return session;
    // Its analysis is whole and its last words are on their way: the caller may have read `complete` already.
    await running.whenStored(id);
    return (await store.get(id)) ?? session;
  });
}
