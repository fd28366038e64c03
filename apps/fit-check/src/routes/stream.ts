/** `POST /api/fit-check/stream`: one session, streamed. */
import { ExchangeAborted, type Observability, type Session } from 'binnacle';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Analyse } from '../analysis.ts';
import { toServiceError } from '../errors.ts';
import { EventStream } from '../event-stream.ts';
import { type FitCheckRequest, parseRequest } from '../request.ts';
import type { RunningSessions } from '../running.ts';
import type { FitCheckSettings } from '../settings.ts';
import type { SessionStatus, SessionStore } from '../store.ts';

export interface StreamParts {
  readonly obs: Observability;
  readonly settings: FitCheckSettings;
  readonly analyse: Analyse;
  readonly store: SessionStore;
  readonly running: RunningSessions;
}

/** How long a reader may take for the last words, in milliseconds, before its connection is closed. */
const LAST_WORDS_MS = 30_000;

export function streamRoute(app: FastifyInstance, parts: StreamParts): void {
  const { obs, settings, running } = parts;
  app.post('/api/fit-check/stream', (request, reply) => {
    const asked = parseRequest(request.body);
    running.claim(asked.sessionId);
    const stream = new EventStream(settings.heartbeatMs);
    const options = {
      id: asked.sessionId,
      timeoutMs: settings.sessionTimeoutMs,
      fields: { query_length: asked.query.length },
    };
    void obs
      .session(options, (session) => runSession(parts, session, asked, stream, reply))
      .catch((error: unknown) => sayGoodbye(obs, stream, error));
    return reply
      .header('content-type', 'text/event-stream; charset=utf-8')
      .header('cache-control', 'no-cache, no-transform')
      .header('x-accel-buffering', 'no')
      .send(stream.body);
  });
}

async function runSession(
  parts: StreamParts,
  session: Session,
  asked: FitCheckRequest,
  stream: EventStream,
  reply: FastifyReply,
): Promise<void> {
  const { store, analyse } = parts;
  const startedAt = performance.now();
  const begun = store.begin(session.id);
  recordEnding(parts, session, begun);
  const analysis = await analyse(session, asked, stream);
  await begun;
  await store.keep(session.id, analysis);
  const tokens = analysis.usage && {
    input_tokens: analysis.usage.inputTokens,
    output_tokens: analysis.usage.outputTokens,
  };
  session.note({ cached: analysis.cached });
  stream.send('complete', {
    session_id: session.id,
    duration_ms: Math.max(0.001, Math.round((performance.now() - startedAt) * 1000) / 1000),
    usage: tokens,
    cached: analysis.cached,
    provider: analysis.provider,
  });
  const timer = setTimeout(() => reply.raw.destroy(), LAST_WORDS_MS);
  void session.settled.then(() => clearTimeout(timer));
}

/** Once the outcome is fixed, the row says it and the id is free again. */
function recordEnding({ obs, store, running }: StreamParts, session: Session, begun: Promise<void>): void {
  const stored = session.settled
    .then(async (ending) => {
      await begun;
      const interrupted = ending.errorType === 'shutdown';
      const status: SessionStatus = interrupted
        ? 'interrupted'
        : ending.outcome === 'success'
          ? 'complete'
          : ending.outcome;
      await store.finish(session.id, status, ending.durationMs);
    })
    .catch((error: unknown) => obs.log.error({ error }, `[${session.id}] The session could not be stored`))
    .finally(() => running.release(session.id));
  running.ending(session.id, stored);
}

/** The last event of a session that did not complete. */
function sayGoodbye(obs: Observability, stream: EventStream, error: unknown): void {
  if (error instanceof ExchangeAborted) {
    stream.send('shutdown', { message: 'The service is shutting down; please try again.' });
    return;
  }
  const { code, message } = toServiceError(error);
  if (code === 'internal') obs.log.error({ error }, 'The session failed');
  stream.send('error', { code, message });
}
