/** `POST /api/fit-check/stream`: one session, streamed. */
import { ExchangeAborted, measure, type Observability, type Session } from 'binnacle';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Analyse } from '../analysis.ts';
import { toServiceError } from '../errors.ts';
import { EventStream } from '../event-stream.ts';
import { recordSession } from '../record.ts';
import { type FitCheckRequest, parseRequest } from '../request.ts';
import type { RunningSessions } from '../running.ts';
import type { FitCheckSettings } from '../settings.ts';
import type { SessionStore } from '../store.ts';

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
  { obs, store, running, analyse }: StreamParts,
  session: Session,
  asked: FitCheckRequest,
  stream: EventStream,
  reply: FastifyReply,
): Promise<void> {
  const watch = measure();
  const record = recordSession(obs, store, session);
  running.ending(session.id, record.settled);
  const analysis = await analyse(session, asked, stream);
  await record.keep(analysis);
  session.note({ cached: analysis.cached });
  const { usage, cached, provider } = analysis;
  stream.send('complete', {
    session_id: session.id,
    duration_ms: watch.stop(),
    usage: usage && { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens },
    cached,
    provider,
  });
  const timer = setTimeout(() => reply.raw.destroy(), LAST_WORDS_MS);
  void session.settled.then(() => clearTimeout(timer));
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
