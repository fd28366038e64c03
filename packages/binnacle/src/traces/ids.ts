/** Trace and span ids from pooled random bytes: of a secure generator, as ids that come from it cannot be foretold. */
import { randomFillSync } from 'node:crypto';
import type { IdGenerator } from '@opentelemetry/sdk-trace';

/** Random bytes that are drawn at once. Small: an id that is kept keeps the digits of its pool, four bytes for two. */
const POOL = 4096;
const TRACE_BYTES = 16;
const SPAN_BYTES = 8;
const ZEROS = /^0*$/;

/** The ids that the SDK takes next, where they are known already. */
export interface Ids extends IdGenerator {
  /** Makes the next span have these. */
  preset(traceId: string, spanId: string): void;
}

export function createIds(): Ids {
  const pool = Buffer.allocUnsafe(POOL);
  let digits = '';
  let at = POOL;
  let presetTrace: string | undefined;
  let presetSpan: string | undefined;
  const draw = (bytes: number): string => {
    if (at + bytes > POOL) {
      digits = randomFillSync(pool).toString('hex');
      at = 0;
    }
    const id = digits.slice(at * 2, (at + bytes) * 2);
    at += bytes;
    // All zeros is no id (https://www.w3.org/TR/trace-context/#trace-id).
    return id.charCodeAt(0) === 48 && ZEROS.test(id) ? draw(bytes) : id;
  };
  return {
    generateTraceId() {
      const id = presetTrace ?? draw(TRACE_BYTES);
      presetTrace = undefined;
      return id;
    },
    generateSpanId() {
      const id = presetSpan ?? draw(SPAN_BYTES);
      presetSpan = undefined;
      return id;
    },
    preset(traceId, spanId) {
      presetTrace = traceId;
      presetSpan = spanId;
    },
  };
}
