/** Work of Binnacle's own, which belongs to no request and leaves no span. */
import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { runInScope } from '../context.ts';

const outside = suppressTracing(ROOT_CONTEXT);

/** Runs `work` outside of any request, with tracing suppressed, for a context manager of the host's too. */
export function runOutside<T>(work: () => T): T {
  return runInScope({ otel: outside }, () => context.with(outside, work));
}
