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
import type { SessionKeeper, SessionRun } from '../store/keeper.ts';

export interface StreamParts {
  readonly obs: Observability;
  readonly settings: FitCheckSettings;
  readonly analyse: Analyse;
  readonly keeper: SessionKeeper;
  readonly running: RunningSessions;
}

export function streamRoute(app: FastifyInstance, parts: StreamParts): void {
  const { obs, settings } = parts;
  app.post('/api/fit-check/stream', async (request, reply) => {
    const asked = parseRequest(request.body);
    const run = await begin(parts, asked.sessionId, reply);
    if (run === undefined) return reply.hijack();
    const stream = new EventStream(settings.heartbeatMs, () => limitLastWords(reply, settings.lastWordsMs));
    const options = {
      id: asked.sessionId,
      timeoutMs: settings.sessionTimeoutMs,
      fields: { query_length: asked.query.length },
    };
    void obs
      .session(options, (session) => runSession(parts, { session, run, asked, stream }))
      .catch((error: unknown) => sayGoodbye(obs, stream, error));
    return reply
      .header('content-type', 'text/event-stream; charset=utf-8')
      .header('cache-control', 'no-cache, no-transform')
      .header('x-accel-buffering', 'no')
      .send(stream.body);
  });
}

/** Takes the id, here and over all instances; undefined when the client has gone meanwhile. */
async function begin(
  { keeper, running }: StreamParts,
  id: string,
  reply: FastifyReply,
): Promise<SessionRun | undefined> {
  const watch = measure();
  running.claim(id);
  try {
    const run = await keeper.begin(id);
    if (!reply.raw.destroyed) return run;
    await run.finish('cancelled', watch.stop());
  } catch (error) {
    running.release(id);
    throw error;
  }
  running.release(id);
  return undefined;
}

interface SessionInHand {
  readonly session: Session;
  readonly run: SessionRun;
  readonly asked: FitCheckRequest;
  readonly stream: EventStream;
}

async function runSession({ running, analyse }: StreamParts, inHand: SessionInHand): Promise<void> {
  const { session, run, asked, stream } = inHand;
  const watch = measure();
  const record = recordSession(run, session);
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
}

/** A reader that does not take the last words, however the session ended, must not hold its place for ever. */
function limitLastWords({ raw }: FastifyReply, ms: number): void {
  const timer = setTimeout(() => raw.destroy(), ms);
  raw.once('close', () => clearTimeout(timer));
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
