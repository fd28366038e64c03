/** Spans of this process, as the exporter's queue has them, to what the console shows: only when a page asks. */
import { decodeSpan } from './otlp-spans.ts';
import type { ReadRecord } from './ring.ts';

/** Scopes whose reader is kept. */
const SCOPES = 100;

/** Readers of one OTLP `Span` each, of a service's scopes. */
export function createSpanReaders(service: string): (scope: string) => ReadRecord {
  const known = new Map<string, ReadRecord>();
  return (scope) => {
    const found = known.get(scope);
    if (found !== undefined) return found;
    const origin = scope === '' ? { service } : { service, scope };
    const read: ReadRecord = (bytes) => JSON.stringify(Object.assign(decodeSpan(bytes), origin));
    if (known.size < SCOPES) known.set(scope, read);
    return read;
  };
}
