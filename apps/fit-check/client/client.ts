/** Asks fit-check, reads what it streams, and reads a session again where its stream broke. */
import { FitCheckError, toError, toServiceCode } from './error.ts';
import { type FitCheckEvent, parseJson, readEvent, unlike } from './event.ts';
import { createSseReader, type SseEvent } from './sse.ts';
import { endedWithout, Progress, readStored, type StoredSession } from './stored.ts';
import { pause, within } from './timing.ts';

export interface FitCheckClientOptions {
  /** Where the service is, such as `http://localhost:8000`; in browsers, where the page came from. */
  readonly baseUrl?: string;
  readonly fetch?: typeof fetch;
  /** Sent with each request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The time between two questions after a session that is not done, in milliseconds (1000); up to 5 times it. */
  readonly pollMs?: number;
  /** How long a service that cannot be reached is asked again, in milliseconds (60,000). */
  readonly patienceMs?: number;
  /**
   * After how long a silence the session is asked for beside its stream, in milliseconds (45,000): a connection may be
   * dead without a word. The service's heartbeat comes every 15 s unless set otherwise.
   */
  readonly silenceMs?: number;
}

export interface Question {
  /** 2 to 20,000 characters after trimming. */
  readonly query: string;
  /** 1 to 128 of `[A-Za-z0-9._:-]`; `client.newSessionId()` makes one that nobody can guess. */
  readonly sessionId: string;
  readonly thoughts?: boolean;
}

export interface Reading {
  /** Cancels: the service stops the session, and the iteration throws the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface FitCheckClient {
  /** An id for a session, of 128 random bits: whoever knows it can read the session. */
  newSessionId(): string;
  /**
   * Asks, and gives the session's events as they come; `complete` is the last. A stream that breaks is read on from what
   * the service stores, without repeating anything. Throws `FitCheckError`, or the signal's reason.
   * @example for await (const event of client.analyse({ query: 'Google', sessionId: client.newSessionId() })) show(event);
   */
  analyse(question: Question, reading?: Reading): AsyncGenerator<FitCheckEvent, void, undefined>;
  /** A session's events, read again: `stored` first, `complete` last; waits for one that still runs. Throws as `analyse`. */
  follow(
    sessionId: string,
    options?: Reading & { readonly thoughts?: boolean },
  ): AsyncGenerator<FitCheckEvent, void, undefined>;
  /** The session as it is stored now. Throws `FitCheckError` (`not_found` where there is none), or the signal's reason. */
  session(sessionId: string, reading?: Reading): Promise<StoredSession>;
}

export function createFitCheckClient(options: FitCheckClientOptions = {}): FitCheckClient {
  return new Client(options);
}

/** The longest pause between two questions after a session, in `pollMs`. */
const LONGEST_PAUSE = 5;

/** A session being read. */
interface Run {
  readonly id: string;
  readonly thoughts: boolean;
  readonly signal: AbortSignal | undefined;
  readonly progress: Progress;
}

type Body = ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;

class Client implements FitCheckClient {
  readonly #base: string;
  readonly #fetch: typeof fetch;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #pollMs: number;
  readonly #patienceMs: number;
  readonly #silenceMs: number;

  constructor(options: FitCheckClientOptions) {
    this.#base = (options.baseUrl ?? '').replace(/\/+$/, '');
    // A browser's own fetch wants to be called as a function of its window.
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
    this.#headers = options.headers ?? {};
    this.#pollMs = options.pollMs ?? 1000;
    this.#patienceMs = options.patienceMs ?? 60_000;
    this.#silenceMs = options.silenceMs ?? 45_000;
  }

  newSessionId(): string {
    // Not `randomUUID`: browsers have that on HTTPS and localhost alone.
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  async session(sessionId: string, { signal }: Reading = {}): Promise<StoredSession> {
    const response = await this.#send(
      `/api/fit-check/sessions/${encodeURIComponent(sessionId)}`,
      {},
      signal,
      sessionId,
    );
    let text: string;
    try {
      text = await response.text();
    } catch (error) {
      throw signal?.aborted ? signal.reason : network(error, sessionId);
    }
    return readStored(parseJson(text));
  }

  async *analyse(question: Question, { signal }: Reading = {}): AsyncGenerator<FitCheckEvent, void, undefined> {
    const { query, sessionId: id, thoughts = false } = question;
    const body = JSON.stringify({ query, session_id: id, include_thoughts: thoughts });
    const headers = { 'content-type': 'application/json', accept: 'text/event-stream' };
    const response = await this.#send('/api/fit-check/stream', { method: 'POST', headers, body }, signal, id);
    if (response.body === null || !response.headers.get('content-type')?.startsWith('text/event-stream')) {
      await response.body?.cancel();
      throw unlike('it is no stream of events');
    }
    const run: Run = { id, thoughts, signal, progress: new Progress() };
    const requestId = response.headers.get('x-request-id') ?? undefined;
    for await (const event of this.#read(response.body.getReader(), run, requestId)) {
      run.progress.heard(event);
      yield event;
    }
  }

  async *follow(
    sessionId: string,
    { signal, thoughts = false }: Reading & { readonly thoughts?: boolean } = {},
  ): AsyncGenerator<FitCheckEvent, void, undefined> {
    const run: Run = { id: sessionId, thoughts, signal, progress: new Progress() };
    yield* this.#settle(run, ({ session_id, created_at, analysis }) => [
      { type: 'stored', session_id, created_at, query: analysis?.query ?? '' },
    ]);
  }

  /** The stream's events to its last one, and where it breaks, what is stored from there on. */
  async *#read(body: Body, run: Run, requestId: string | undefined): AsyncGenerator<FitCheckEvent, void, undefined> {
    const sse = createSseReader();
    try {
      for await (const bytes of this.#pieces(body, run)) {
        if (!(bytes instanceof Uint8Array)) {
          yield bytes;
          continue;
        }
        for (const event of readAll(sse.read(bytes))) {
          if (event.type === 'error')
            throw new FitCheckError(toServiceCode(event.code), event.message, { requestId, sessionId: run.id });
          if (event.type === 'shutdown')
            throw new FitCheckError('shutting_down', event.message, { requestId, sessionId: run.id });
          yield event;
          if (event.type === 'complete') return;
        }
      }
    } catch (error) {
      throw error instanceof RangeError ? unlike(error.message) : error;
    } finally {
      void body.cancel().catch(() => {});
    }
    yield* this.#settle(run);
  }

  /** Pieces of the body until it ends, breaks, or the session is found to have ended without it. */
  async *#pieces(body: Body, run: Run): AsyncGenerator<Uint8Array | FitCheckEvent, void, undefined> {
    let reading = body.read();
    let lostAt: number | undefined;
    for (;;) {
      let piece: Awaited<typeof reading> | undefined;
      try {
        piece = await within(reading, this.#silenceMs);
      } catch (error) {
        if (run.signal?.aborted) throw run.signal.reason;
        // The connection broke; what a service throws is no other kind.
        void error;
        return;
      }
      if (piece?.done) return;
      if (piece !== undefined) {
        lostAt = undefined;
        yield piece.value;
        reading = body.read();
        continue;
      }
      const state = await this.#look(run);
      if (state === 'ended') return;
      if (state === 'lost' && lostAt === undefined) yield { type: 'waiting', reason: 'network' };
      lostAt = state === 'lost' ? (lostAt ?? performance.now()) : undefined;
      if (lostAt !== undefined && performance.now() - lostAt > this.#patienceMs) return;
    }
  }

  /** What is known of a session whose stream says nothing. */
  async #look({ id, signal }: Run): Promise<'running' | 'ended' | 'lost'> {
    try {
      const { status, analysis } = await this.session(id, { signal });
      return status === 'running' && analysis === null ? 'running' : 'ended';
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      return isPassing(error) ? 'lost' : 'ended';
    }
  }

  /** Asks for the session until it has ended, and tells what is missing. */
  async *#settle(
    { id, thoughts, signal, progress }: Run,
    first: (session: StoredSession) => FitCheckEvent[] = () => [],
  ): AsyncGenerator<FitCheckEvent, void, undefined> {
    let told: 'network' | 'running' | undefined;
    let lostAt: number | undefined;
    for (let ms = this.#pollMs; ; ms = Math.min(ms * 1.5, this.#pollMs * LONGEST_PAUSE)) {
      let session: StoredSession | undefined;
      try {
        session = await this.session(id, { signal });
        lostAt = undefined;
      } catch (error) {
        lostAt ??= performance.now();
        if (!isPassing(error) || performance.now() - lostAt > this.#patienceMs) throw error;
      }
      if (session?.analysis) {
        yield* first(session);
        yield* progress.rest(session, session.analysis, thoughts);
        return;
      }
      if (session !== undefined && session.status !== 'running') throw endedWithout(session);
      const reason = session === undefined ? 'network' : 'running';
      if (reason !== told) yield { type: 'waiting', reason };
      told = reason;
      await pause(ms, signal);
    }
  }

  async #send(
    path: string,
    init: RequestInit & { readonly headers?: Readonly<Record<string, string>> },
    signal: AbortSignal | undefined,
    sessionId: string,
  ): Promise<Response> {
    let response: Response;
    try {
      const headers = { ...this.#headers, ...init.headers };
      response = await this.#fetch(`${this.#base}${path}`, { ...init, headers, signal });
    } catch (error) {
      throw signal?.aborted ? signal.reason : network(error, sessionId);
    }
    if (!response.ok) throw await toError(response, sessionId);
    return response;
  }
}

function* readAll(events: readonly SseEvent[]): Generator<Exclude<ReturnType<typeof readEvent>, undefined>> {
  for (const { name, data } of events) {
    const event = readEvent(name, data);
    if (event !== undefined) yield event;
  }
}

function network(cause: unknown, sessionId: string): FitCheckError {
  return new FitCheckError('network', 'The service cannot be reached.', { sessionId, cause });
}

/** Whether the next question may have an answer. */
function isPassing(error: unknown): boolean {
  return (
    error instanceof FitCheckError &&
    ['network', 'upstream_unavailable', 'shutting_down', 'internal'].includes(error.code)
  );
}
