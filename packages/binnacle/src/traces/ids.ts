/** Trace and span ids, of a secure generator, and those that are known already. */
import type { IdGenerator } from '@opentelemetry/sdk-trace';
import { type DrawnIds, drawIds, randomHex } from '../random.ts';

const TRACE_BYTES = 16;
const SPAN_BYTES = 8;
const ZEROS = /^0*$/;

export interface Ids extends IdGenerator {
  /** Of a trace that begins here, whose span is written by hand. */
  draw(): DrawnIds;
  /** Makes the next span have these. */
  preset(traceId: string, spanId: string): void;
}

export function createIds(): Ids {
  let presetTrace: string | undefined;
  let presetSpan: string | undefined;
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
    draw() {
      for (;;) {
        const drawn = drawIds();
        if (isId(drawn.traceId) && isId(drawn.spanId)) return drawn;
      }
    },
    preset(traceId, spanId) {
      presetTrace = traceId;
      presetSpan = spanId;
    },
  };
}

function draw(bytes: number): string {
  const id = randomHex(bytes);
  return isId(id) ? id : draw(bytes);
}

/** All zeros is no id (https://www.w3.org/TR/trace-context/#trace-id). */
function isId(id: string): boolean {
  return id.charCodeAt(0) !== 48 || !ZEROS.test(id);
}
