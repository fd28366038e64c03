/**
 * A session: the work behind one request, told in phases. Within an HTTP exchange its outcome is the exchange's, fixed
 * after the last byte or the disconnect; elsewhere (a queue, a job) it settles by itself and writes its own closing line.
 */
import { type Carrier, currentRequest, type Ending, type RequestInHand, runWith } from '../context.ts';
import { roundMs } from '../duration.ts';
import { CLOSING_LEVELS, outcomeOf } from '../endings.ts';
import type { Signals } from '../signals.ts';
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
  /** Resolves with the one ending, after the last byte or the disconnect. Never rejects. */
  readonly settled: Promise<Ending>;
  /** Runs `work` as a phase. */
  phase<T>(name: string, work: (phase: Phase) => T | Promise<T>): Promise<T>;
  /** Says fields in the closing line. */
  note(fields: Readonly<Record<string, unknown>>): void;
}

/** Runs `work` as a session; what it returns is returned, what it throws is thrown. */
export type RunSession = <T>(options: SessionOptions, work: (session: Session) => T | Promise<T>) => Promise<T>;

export function createSessions(signals: Signals, logger: string): RunSession {
  return async (options, work) => {
    const held = currentRequest();
    // Within a request, or another session, that one's ending is awaited; elsewhere the session has its own.
    const own = held?.carrier === undefined ? createCarrier(signals) : undefined;
    const carrier = own ?? (held?.carrier as Carrier);
    const request: RequestInHand = held ?? { requestId: options.id, carrier };
    const { signal, release } = limitSignal(carrier.signal, options.timeoutMs);
    request.sessionId = options.id;
    request.signal = signal;
    return runWith({ request }, async () => {
      const session = startSession(signals, logger, options, carrier, signal);
      own?.whenSettled((ending) => writeClosingLine(signals, logger, options.id, carrier, ending));
      try {
        const value = await Promise.race([work(session), rejection(signal)]);
        carrier.declare('success');
        return value;
      } catch (error) {
        carrier.declare(outcomeOf(error, signal));
        throw error;
      } finally {
        release();
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
  carrier: AbortSignal,
  timeoutMs: number | undefined,
): { signal: AbortSignal; release: () => void } {
  if (timeoutMs === undefined) return { signal: carrier, release: () => {} };
  const controller = new AbortController();
  const follow = (): void => controller.abort(carrier.reason);
  const timer = setTimeout(
    () => controller.abort(new DOMException('the session ran out of time', 'TimeoutError')),
    timeoutMs,
  );
  timer.unref();
  if (carrier.aborted) follow();
  else carrier.addEventListener('abort', follow, { once: true });
  return {
    signal: controller.signal,
    // The carrier is followed on: what the session started may stream for longer than its own work takes.
    release: () => clearTimeout(timer),
  };
}

/** Work that does not heed its signal is not waited for. */
function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function startSession(
  signals: Signals,
  logger: string,
  { id, fields }: SessionOptions,
  carrier: Carrier,
  signal: AbortSignal,
): Session {
  const { meters } = signals;
  const active = meters.activeSessions.bind({});
  const phases: Record<string, number> = {};
  carrier.closing.phases = phases;
  active.inc();
  const settled = new Promise<Ending>((resolve) => {
    carrier.whenSettled((ending) => {
      active.dec();
      meters.requests.bind({ status: ending.outcome }).inc();
      meters.requestDuration.bind({}).observe(ending.durationMs / 1000);
      resolve(ending);
    });
  });
  signals.write('INFO', logger, `[${id}] Request started`, { ...fields });
  return {
    id,
    signal,
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
  signals.write(CLOSING_LEVELS[ending.outcome], logger, `[${id}] Request completed`, {
    ...carrier.closing,
    duration_ms: ending.durationMs,
    status: ending.outcome,
    ...(ending.errorType !== '' && { error_type: ending.errorType }),
  });
}

/** Carries a session that no HTTP exchange carries. */
class OwnCarrier implements Carrier {
  readonly signal: AbortSignal = new AbortController().signal;
  readonly closing: Record<string, unknown> = {};
  readonly #now: () => number;
  readonly #startedAt: number;
  #declared: Pick<Ending, 'outcome' | 'errorType'> | undefined;
  #ending: Ending | undefined;
  #listeners: ((ending: Ending) => void)[] = [];

  constructor(now: () => number) {
    this.#now = now;
    this.#startedAt = now();
  }

  declare(outcome: Ending['outcome'], errorType = ''): void {
    if (this.#declared === undefined || this.#declared.outcome === 'success') this.#declared = { outcome, errorType };
  }

  whenSettled(listener: (ending: Ending) => void): void {
    if (this.#ending === undefined) this.#listeners.push(listener);
    else listener(this.#ending);
  }

  settle(): void {
    const declared = this.#declared ?? { outcome: 'success', errorType: '' };
    this.#ending = { ...declared, durationMs: roundMs(this.#now() - this.#startedAt) };
    for (const listener of this.#listeners.splice(0)) listener(this.#ending);
  }
}

function createCarrier(signals: Signals): OwnCarrier {
  return new OwnCarrier(signals.clock.now);
}
