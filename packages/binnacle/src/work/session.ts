/**
 * A session: the work behind one request, told in phases. Within an HTTP exchange its outcome is the exchange's, fixed
 * after the last byte or the disconnect; elsewhere (a queue, a job) it settles by itself and writes its own closing line.
 */
import { type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  activeContext,
  activeSpanContext,
  type Carrier,
  currentRequest,
  type Ending,
  type RequestInHand,
  runWith,
  type Scope,
} from '../context.ts';
import { roundMs } from '../duration.ts';
import { CLOSING_LEVELS, closingFields, outcomeOf } from '../endings.ts';
import type { Clock, Running, Signals, Work } from '../signals.ts';
import { type Phase, runPhase } from './phase.ts';

export interface SessionOptions {
  /** The session's id: in every line, span and record of it. */
  readonly id: string;
  /** How long it may run, in milliseconds; without it, as long as it takes. Then its signal aborts and it ends `timeout`. */
  readonly timeoutMs?: number;
  /** Fields of the line `Request started`. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

export interface Session {
  readonly id: string;
  /** Aborted when the client goes away or a shutdown runs out of time. */
  readonly signal: AbortSignal;
  /** How long it may still run, in milliseconds; `Infinity` without a time limit. Limits further down the chain shrink with it. */
  remainingMs(): number;
  /** Resolves with the one ending, after the last byte or the disconnect. Never rejects. */
  readonly settled: Promise<Ending>;
  /** Runs `work` as a phase. */
  phase<T>(name: string, work: (phase: Phase) => T | Promise<T>): Promise<T>;
  /** Says fields in the closing line. */
  note(fields: Readonly<Record<string, unknown>>): void;
}

/** Runs `work` as a session; what it returns is returned, what it throws is thrown. */
export type RunSession = <T>(options: SessionOptions, work: (session: Session) => T | Promise<T>) => Promise<T>;

/** Node's timers hold 31 bits. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export function createSessions(signals: Signals, logger: string): RunSession {
  return async (options, work) => {
    const held = currentRequest();
    // Within a request, or another session, that one's ending is awaited; elsewhere the session has its own.
    const own = held?.carrier === undefined ? new OwnCarrier(signals) : undefined;
    const carrier = own ?? (held?.carrier as Carrier);
    const request: RequestInHand = held ?? { requestId: options.id, carrier };
    own?.carries(request);
    const outer = { sessionId: request.sessionId, signal: request.signal };
    const { signal, release } = limitSignal(signals.clock, carrier.signal, options.timeoutMs);
    const aborted = rejectionOf(signal);
    request.sessionId = options.id;
    request.signal = signal;
    return runWith({ request, ...own?.scope(options.id) }, async () => {
      const session = startSession(signals, logger, options, carrier, signal);
      own?.whenSettled((ending) => writeClosingLine(signals, logger, options.id, carrier, ending));
      try {
        const value = await Promise.race([work(session), aborted.promise]);
        carrier.declare('success');
        return value;
      } catch (error) {
        carrier.declare(outcomeOf(error, signal));
        throw error;
      } finally {
        release();
        aborted.release();
        // A session within a session gives its place back; the request's own stays with it to its closing line.
        if (outer.signal !== undefined) Object.assign(request, outer);
        own?.settle();
      }
    });
  };
}

/**
 * The carrier's signal with a time limit on top. Not by `AbortSignal.timeout`, whose timers would outlive the sessions
 * that ended in time.
 */
function limitSignal(
  clock: Clock,
  carrier: AbortSignal,
  timeoutMs: number | undefined,
): { signal: AbortSignal; release: () => void } {
  if (timeoutMs === undefined || timeoutMs === Number.POSITIVE_INFINITY) return { signal: carrier, release: () => {} };
  const controller = new AbortController();
  const follow = (): void => controller.abort(carrier.reason);
  const release = clock.setTimer(
    () => controller.abort(new DOMException('the session ran out of time', 'TimeoutError')),
    Math.min(timeoutMs, LONGEST_TIMER_MS),
  );
  if (carrier.aborted) follow();
  else carrier.addEventListener('abort', follow, { once: true });
  return {
    signal: controller.signal,
    // The carrier is followed on: what the session started may stream for longer than its own work takes.
    release,
  };
}

/** Work that does not heed its signal is not waited for. */
function rejectionOf(signal: AbortSignal): { promise: Promise<never>; release: () => void } {
  let onAbort = (): void => {};
  const promise = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  return { promise, release: () => signal.removeEventListener('abort', onAbort) };
}

function startSession(
  signals: Signals,
  logger: string,
  { id, fields, timeoutMs = Number.POSITIVE_INFINITY }: SessionOptions,
  carrier: Carrier,
  signal: AbortSignal,
): Session {
  const { meters } = signals;
  const active = meters.activeSessions.bind({});
  const endsAt = signals.clock.now() + timeoutMs;
  const phases: Record<string, number> = {};
  carrier.closing.phases = phases;
  active.inc();
  const settled = new Promise<Ending>((resolve) => {
    carrier.whenSettled((ending) => {
      active.dec();
      meters.requests.bind({ status: ending.outcome }).inc();
      meters.requestDuration.bind({}).observe(ending.durationMs / 1000, activeSpanContext());
      resolve(ending);
    });
  });
  signals.write('INFO', logger, `[${id}] Request started`, { ...fields });
  return {
    id,
    signal,
    remainingMs: () => Math.max(0, endsAt - signals.clock.now()),
    settled,
    phase: (name, work) =>
      runPhase(
        {
          signals,
          logger,
          sessionId: id,
          name,
          onEnd: (ms) => {
            phases[name] = roundMs((phases[name] ?? 0) + ms);
          },
        },
        work,
      ),
    note: (more) => void Object.assign(carrier.closing, more),
  };
}

function writeClosingLine(signals: Signals, logger: string, id: string, carrier: Carrier, ending: Ending): void {
  const own = {
    duration_ms: ending.durationMs,
    status: ending.outcome,
    ...(ending.errorType !== '' && { error_type: ending.errorType }),
  };
  signals.write(
    CLOSING_LEVELS[ending.outcome],
    logger,
    `[${id}] Request completed`,
    closingFields(own, carrier.closing),
  );
}

/** Carries a session that no HTTP exchange carries: its root span, its place in a shutdown, and its ending. */
class OwnCarrier implements Carrier, Work {
  readonly closing: Record<string, unknown> = {};
  readonly #controller = new AbortController();
  readonly #signals: Signals;
  readonly #startedAt: number;
  #span: Span | undefined;
  #request: RequestInHand | undefined;
  #declared: Pick<Ending, 'outcome' | 'errorType'> | undefined;
  #ending: Ending | undefined;
  #listeners: ((ending: Ending) => void)[] = [];

  constructor(signals: Signals) {
    this.#signals = signals;
    this.#startedAt = signals.clock.now();
    signals.presence.enter(this);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Says whose work it is, for `running` to tell. */
  carries(request: RequestInHand): void {
    this.#request = request;
  }

  get running(): Running | undefined {
    const request = this.#request;
    return (
      request && {
        request,
        method: 'SESSION',
        route: '',
        startedAt: this.#startedAt,
        ids: this.#span?.spanContext(),
        responseBytes: 0,
        streamEvents: undefined,
        firstByteMs: undefined,
      }
    );
  }

  /** Starts the span that the session's phases are children of. */
  scope(sessionId: string): Pick<Scope, 'otel'> {
    const parent = activeContext();
    this.#span = this.#signals.spans.start('session', SpanKind.INTERNAL, { 'session.id': sessionId }, parent);
    return { otel: trace.setSpan(parent, this.#span) };
  }

  abort(): void {
    this.declare('cancelled', 'shutdown');
    this.#controller.abort(new SessionAborted());
  }

  /** There is no connection to tear down; the process ends without it. */
  destroy(): void {
    this.settle();
  }

  declare(outcome: Ending['outcome'], errorType = ''): void {
    if (this.#declared === undefined || this.#declared.outcome === 'success') this.#declared = { outcome, errorType };
  }

  whenSettled(listener: (ending: Ending) => void): void {
    if (this.#ending === undefined) this.#listeners.push(listener);
    else listener(this.#ending);
  }

  settle(): void {
    if (this.#ending !== undefined) return;
    const { outcome, errorType } = this.#declared ?? { outcome: 'success', errorType: '' };
    this.#ending = { outcome, errorType, durationMs: roundMs(this.#signals.clock.now() - this.#startedAt) };
    for (const listener of this.#listeners.splice(0)) listener(this.#ending);
    if (errorType !== '') this.#span?.setAttribute('error.type', errorType);
    if (outcome === 'error' || outcome === 'timeout') this.#span?.setStatus({ code: SpanStatusCode.ERROR });
    this.#span?.end();
    this.#signals.presence.leave(this);
  }
}

/** Why a session's signal was aborted: the service shuts down. */
class SessionAborted extends Error {
  override readonly name = 'AbortError';
  constructor() {
    super('the service is shutting down');
  }
}
