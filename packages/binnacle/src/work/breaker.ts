/**
 * A circuit breaker, settled exactly: a streamed call at its stream's end, a cancelled call as no failure, a half-open
 * probe that was cancelled as no proof either way (the next call probes again).
 */
import { type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  activeContext,
  type CallInHand,
  currentRequest,
  type Outcome,
  runWith,
  type Scope,
  streamWith,
} from '../context.ts';
import { errorTypeOf, outcomeOf } from '../endings.ts';
import type { Series, Signals } from '../signals.ts';
import { type BreakerOptions, createPolicy, type Verdict } from './breaker-policy.ts';
import { type BreakerRecord, type BreakerState, createBreakerRecord } from './breaker-record.ts';

export type { BreakerOptions } from './breaker-policy.ts';

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
const VERDICTS: Readonly<Record<Outcome, Verdict>> = {
  success: 'up',
  error: 'down',
  timeout: 'down',
  cancelled: 'nothing',
};

/** A streamed call whose reader left before its end. */
class Left extends Error {
  override readonly name = 'AbortError';
}

export function createBreaker(service: string, signals: Signals, options: BreakerOptions = {}): Breaker {
  const record = createBreakerRecord(service, signals);
  const policy = createPolicy(options, signals.clock, (to) => moved(service, record, to, signals));
  const calls = Object.fromEntries(
    OUTCOMES.map((outcome) => [outcome, signals.meters.breakerCalls.bind({ service, outcome })]),
  ) as Record<CallOutcome, Series>;
  const told = (outcome: CallOutcome): void => {
    calls[outcome].inc();
    const closing = currentRequest()?.carrier?.closing;
    if (closing !== undefined)
      closing.breakers = { ...(closing.breakers as object | undefined), [service]: record.state };
  };
  /** Lets a call in, or throws. */
  const enter = (): Entry => {
    const span = startSpan(service, record.state, signals);
    const settleCall = policy.letIn();
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
      settle: (thrown) => {
        // A stream that breaks off without a word ends well for its reader, and failed all the same.
        const error = thrown ?? call.fault;
        const outcome = error === undefined ? 'success' : outcomeOf(error);
        settleCall(VERDICTS[outcome]);
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
  settle(error?: unknown): void;
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
    entry.settle();
    return value;
  } catch (error) {
    entry.settle(error ?? new Error('nothing was thrown'));
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
    entry.settle(ending);
  }
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
