/** Marks every span that starts within a session, the user's own too, with its id. */
import type { Attributes } from '@opentelemetry/api';
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

/** The same for spans of a host's SDK, which takes no further processor. */
export function markSession(attributes: Attributes): Attributes {
  const id = currentRequest()?.sessionId;
  return id === undefined ? attributes : { ...attributes, 'session.id': id };
}
