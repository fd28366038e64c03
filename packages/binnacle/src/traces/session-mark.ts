/** Marks every span that starts within a session, the user's own too, with its id. */
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import { currentRequest } from '../context.ts';

/** Sets `session.id` (https://opentelemetry.io/docs/specs/semconv/general/session/) at the start of a span. */
export const sessionMark: SpanProcessor = {
  onStart(span) {
    const id = currentRequest()?.sessionId;
    if (id !== undefined) span.setAttribute('session.id', id);
  },
  onEnd: () => {},
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};
