/** What the tests of observed clients read of spans. */
import { setImmediate as turn } from 'node:timers/promises';
import { type Context, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { TestSignals } from '../../test/signals.ts';
import { runInScope } from '../context.ts';

/** `SELECT t` for a span that went well, `SELECT t!42P01` for one that did not. */
export function told(signals: TestSignals): string[] {
  return signals.ended().map((span) => span.name + (span.status.code === 2 ? `!${span.attributes['error.type']}` : ''));
}

export function parentOf(span: ReadableSpan | undefined): string | undefined {
  return span?.parentSpanContext?.spanId;
}

/** Runs work as a request does: within a scope with a span of its own. */
export function inRequest<T>(signals: TestSignals, work: (span: Span, otel: Context) => T): T {
  const span = signals.tracer.startSpan('request', {}, ROOT_CONTEXT);
  const otel = trace.setSpan(ROOT_CONTEXT, span);
  return runInScope({ otel }, () => work(span, otel));
}

/** What is rejected with; fails where nothing is. */
export async function rejection(promise: PromiseLike<unknown>): Promise<Error> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error(`resolved with ${String(value)}`);
}

/** Whether a promise that nobody listens to is told of to the process. */
export async function isReported(make: () => unknown, isOver: () => boolean): Promise<boolean> {
  let reported = false;
  const listeners = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.once('unhandledRejection', () => {
    reported = true;
  });
  make();
  while (!isOver()) await turn();
  for (let n = 0; n < 3; n += 1) await turn();
  process.removeAllListeners('unhandledRejection');
  for (const listener of listeners) process.on('unhandledRejection', listener);
  return reported;
}
