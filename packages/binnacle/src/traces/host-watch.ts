/** Spans of a host's own SDK, for somebody who looks on. */
import type { TracerProvider } from '@opentelemetry/api';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';

/**
 * Shows a processor the spans of a host's provider, beside the host's own processors; what this gives ends that. The
 * SDK takes processors when it is made and not later, so this adds to the list that it keeps, whose name is its own: of
 * another SDK, or one that keeps it otherwise, nothing is shown, and nothing is changed.
 */
export function watchHost(provider: TracerProvider, processor: SpanProcessor): () => void {
  const all: unknown = Reflect.get(provider, '_activeSpanProcessor');
  // The spans of SDK 1, which has this method, say their parent and scope otherwise.
  if (typeof all !== 'object' || all === null || 'addSpanProcessor' in provider) return noop;
  const replace = (change: (processors: unknown[]) => unknown[]): void => {
    const processors: unknown = Reflect.get(all, '_spanProcessors');
    // A list of its own: the one before may be the host's.
    if (Array.isArray(processors)) Reflect.set(all, '_spanProcessors', change(processors));
  };
  replace((processors) => [...processors, processor]);
  return () => replace((processors) => processors.filter((one) => one !== processor));
}

const noop = (): void => {};
