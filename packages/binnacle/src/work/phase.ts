/** One phase of a session: a span, two lines, a counter and a duration, with one ending. */
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { activeContext, currentRequest, runWith } from '../context.ts';
import { roundMs } from '../duration.ts';
import { errorTypeOf, outcomeOf } from '../endings.ts';
import type { Signals } from '../signals.ts';
import { wordless } from '../wordless.ts';

export interface Phase {
  readonly name: string;
  /** Ends it as a success; gives its duration in milliseconds, the same at every call. */
  end(): number;
}

export interface PhaseOptions {
  readonly signals: Signals;
  readonly logger: string;
  readonly sessionId: string;
  readonly name: string;
  /** Told the duration at the ending. */
  readonly onEnd: (durationMs: number) => void;
}

/** Runs `work` as a phase. It ends when `work` does, unless `phase.end()` came first; a throw ends it as an error. */
export async function runPhase<T>(options: PhaseOptions, work: (phase: Phase) => T | Promise<T>): Promise<T> {
  const { signals, sessionId, name } = options;
  const startedAt = signals.clock.now();
  const parent = activeContext();
  const span = signals.spans.start(`phase ${name}`, SpanKind.INTERNAL, { 'binnacle.phase': name }, parent);
  const request = signals.onlooker && currentRequest();
  const looked = request && signals.onlooker?.phase(request, name, startedAt);
  let durationMs: number | undefined;

  const finish = (status: 'success' | 'error', error?: unknown): number => {
    if (durationMs !== undefined) return durationMs;
    durationMs = roundMs(signals.clock.now() - startedAt);
    signals.meters.phaseCompletions.bind({ phase: name, status }).inc();
    signals.meters.phaseDuration.bind({ phase: name }).observe(durationMs / 1000, span.spanContext());
    options.onEnd(durationMs);
    looked?.(durationMs);
    if (status === 'error') {
      span.setAttribute('error.type', errorTypeOf(error));
      if (outcomeOf(error) !== 'cancelled') span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end();
    writeEnding(options, durationMs, status, error);
    return durationMs;
  };

  return runWith({ phase: name, otel: trace.setSpan(parent, span) }, async () => {
    signals.write('INFO', options.logger, `[${sessionId}] Phase started: ${name}`, { phase: name });
    try {
      const value = await work({ name, end: () => finish('success') });
      finish('success');
      return value;
    } catch (error) {
      finish('error', error);
      throw error;
    }
  });
}

function writeEnding(
  { signals, logger, sessionId, name }: PhaseOptions,
  durationMs: number,
  status: string,
  error: unknown,
): void {
  const seconds = (durationMs / 1000).toFixed(2);
  if (status === 'success') {
    signals.write('INFO', logger, `[${sessionId}] Phase completed: ${name} (${seconds}s)`, {
      phase: name,
      duration_ms: durationMs,
    });
    return;
  }
  const outcome = outcomeOf(error);
  const fields = { phase: name, duration_ms: durationMs, status: outcome };
  if (outcome === 'cancelled')
    signals.write('INFO', logger, `[${sessionId}] Phase cut short: ${name} (${seconds}s)`, fields);
  else
    signals.write('WARNING', logger, `[${sessionId}] Phase failed: ${name} (${seconds}s)`, {
      ...fields,
      error_type: errorTypeOf(error),
      exception: wordless(error),
    });
}
