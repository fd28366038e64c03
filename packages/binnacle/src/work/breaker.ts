/**
 * A circuit breaker over cockatiel's, settled exactly: a streamed call at its stream's end, a cancelled call as no
 * failure, a half-open probe that was cancelled as no proof either way (the next call probes again).
 */
import { type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { CircuitState, ConsecutiveBreaker, circuitBreaker, type FailureReason, handleWhen } from 'cockatiel';
import { activeContext, type CallInHand, currentRequest, runWith, type Scope, streamWith } from '../context.ts';
import { errorTypeOf, outcomeOf } from '../endings.ts';
import type { Series, Signals } from '../signals.ts';
import { type BreakerRecord, type BreakerState, createBreakerRecord } from './breaker-record.ts';

export interface BreakerOptions {
  /** Consecutive failures that open it; 5 unless told. */
  readonly failures?: number;
  /** How long it stays open before a call may probe, in milliseconds; 30,000 unless told. */
  readonly openMs?: number;
}

/** Thrown for a call that an open breaker, or one that is being probed, did not let through. */
export class BreakerOpenError extends Error {
  readonly code = 'breaker_open' as const;
  /** What frameworks answer with, where it reaches them. */
  readonly statusCode = 503;
  readonly service: string;
  constructor(service: string) {
    super(`the circuit breaker of ${service} is open`);
    this.name = 'BreakerOpenError';
    this.service = service;
  }
}

export interface Breaker {
  readonly service: string;
  readonly state: BreakerState;
  /** Runs a call through it. Throws what the call throws, or `BreakerOpenError`. */
  run<T>(call: () => Promise<T>): Promise<T>;
  /** Runs a streamed call through it; the call settles when its stream ends, fails, or is left. */
  stream<T>(open: () => AsyncIterable<T>): AsyncGenerator<T>;
}

type CallOutcome = 'success' | 'failure' | 'timeout' | 'rejected' | 'cancelled';
const OUTCOMES: readonly CallOutcome[] = ['success', 'failure', 'timeout', 'rejected', 'cancelled'];

/** A streamed call whose reader left before its end. */
class Left extends Error {
  override readonly name = 'AbortError';
}

export function createBreaker(service: string, signals: Signals, options: BreakerOptions = {}): Breaker {
  const record = createBreakerRecord(service, signals);
  const policy = createPolicy(options);
  const calls = Object.fromEntries(
    OUTCOMES.map((outcome) => [outcome, signals.meters.breakerCalls.bind({ service, outcome })]),
  ) as Record<CallOutcome, Series>;
  policy.onStateChange((state) => moved(service, record, toState(state), signals));

  const told = (outcome: CallOutcome): void => {
    calls[outcome].inc();
    const closing = currentRequest()?.carrier?.closing;
    if (closing !== undefined)
      closing.breakers = { ...(closing.breakers as object | undefined), [service]: record.state };
  };
  /** Lets a call in, or throws; `execute` starts its function at once, so that a refusal is known at once. */
  const enter = (): Entry => {
    const span = startSpan(service, record.state, signals);
    const settleCall = letIn(policy);
    const end = (outcome: CallOutcome, error?: unknown): void => {
      told(outcome);
      endSpan(span, outcome, error);
    };
    if (settleCall === undefined) {
      const refusal = new BreakerOpenError(service);
      end('rejected', refusal);
      throw refusal;
    }
    const call: CallInHand = {};
    return {
      scope: { otel: trace.setSpan(activeContext(), span), call },
      settle: async (thrown) => {
        // A stream that breaks off without a word ends well for its reader, and failed all the same.
        const error = thrown ?? call.fault;
        await settleCall(error);
        const outcome = error === undefined ? 'success' : outcomeOf(error);
        end(outcome === 'error' ? 'failure' : outcome, error);
      },
    };
  };
  return {
    service,
    get state() {
      return record.state;
    },
    run: (call) => runCall(enter, call),
    stream: (open) => runStream(enter, open),
  };
}

/** A call that was let in. */
interface Entry {
  /** What it runs within: its span. */
  readonly scope: Pick<Scope, 'otel' | 'call'>;
  settle(error?: unknown): Promise<void>;
}

type Policy = ReturnType<typeof circuitBreaker>;

/** Asks the policy; gives how to settle the call, or undefined for one that is refused. */
function letIn(policy: Policy): ((error?: unknown) => Promise<void>) | undefined {
  // One probe at a time; cockatiel would let others wait for it.
  if (policy.state === CircuitState.HalfOpen) return undefined;
  let end: ((error?: unknown) => void) | undefined;
  const verdict = policy
    .execute(
      () =>
        new Promise<void>((resolve, reject) => (end = (error) => (error === undefined ? resolve() : reject(error)))),
    )
    .catch(() => {});
  const settle = end;
  if (settle === undefined) return undefined;
  return async (error) => {
    settle(error);
    await verdict;
  };
}

/** A span of the breaker itself, so that a call that it refused is seen, and why. */
function startSpan(service: string, state: BreakerState, signals: Signals): Span {
  const attributes = { 'binnacle.breaker.name': service, 'binnacle.breaker.state': state };
  return signals.spans.start(`breaker ${service}`, SpanKind.INTERNAL, attributes, activeContext());
}

function endSpan(span: Span, outcome: CallOutcome, error: unknown): void {
  span.setAttribute('binnacle.breaker.outcome', outcome);
  if (outcome !== 'success') span.setAttribute('error.type', outcome === 'cancelled' ? outcome : errorTypeOf(error));
  if (outcome !== 'success' && outcome !== 'cancelled') span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

async function runCall<T>(enter: () => Entry, call: () => Promise<T>): Promise<T> {
  const entry = enter();
  try {
    const value = await runWith(entry.scope, call);
    await entry.settle();
    return value;
  } catch (error) {
    await entry.settle(error ?? new Error('nothing was thrown'));
    throw error;
  }
}

async function* runStream<T>(enter: () => Entry, open: () => AsyncIterable<T>): AsyncGenerator<T> {
  const entry = enter();
  let ending: unknown = new Left('the reader left the stream');
  try {
    yield* streamWith(entry.scope, open);
    ending = undefined;
  } catch (error) {
    ending = error ?? new Error('nothing was thrown');
    throw error;
  } finally {
    await entry.settle(ending);
  }
}

function createPolicy({ failures = 5, openMs = 30_000 }: BreakerOptions): Policy {
  const wait = (duration: number) => ({
    duration,
    next: ({ result }: { result: FailureReason<unknown> }) =>
      wait('error' in result && outcomeOf(result.error) === 'cancelled' ? 0 : openMs),
  });
  // Cockatiel closes on an unhandled error of a probe: a cancelled one is handled in that state, and waits for nothing.
  const policy = circuitBreaker(
    handleWhen((error) => policy.state === CircuitState.HalfOpen || outcomeOf(error) !== 'cancelled'),
    { halfOpenAfter: wait(openMs), breaker: new ConsecutiveBreaker(failures) },
  );
  return policy;
}

function moved(service: string, record: BreakerRecord, to: BreakerState, signals: Signals): void {
  const from = record.state;
  record.moved(to);
  signals.write(to === 'open' ? 'WARNING' : 'INFO', 'breaker', `Circuit breaker ${service}: ${from} -> ${to}`, {
    breaker: service,
    from,
    to,
  });
}

function toState(state: CircuitState): BreakerState {
  if (state === CircuitState.Closed) return 'closed';
  return state === CircuitState.HalfOpen ? 'half_open' : 'open';
}
