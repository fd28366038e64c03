/** What a collector did not take of an export that it answered with success. */
import type { ExportResult } from '@opentelemetry/core';

/** `partial_success` of an answer (https://opentelemetry.io/docs/specs/otlp/#partial-success-1). */
export interface PartialSuccess {
  /** Spans, 0 or more; with 0 the message is advice. */
  readonly rejected: number;
  /** At most 200 characters on one line, perhaps none. */
  readonly message: string;
}

/** The result of an export that succeeded, perhaps not for every span. */
export interface PartialResult extends ExportResult {
  readonly partial?: PartialSuccess | undefined;
}

/** The generated types of both formats, of which any part may be missing or wrong. */
interface TraceResponse {
  readonly partialSuccess?: { readonly rejectedSpans?: unknown; readonly errorMessage?: unknown } | null;
}

const LONGEST_MESSAGE = 200;
/** Control characters, and those that end a line. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu;

/** Reads an answer's body; what cannot be read says nothing. Never throws. */
export function readPartialSuccess(
  body: Uint8Array,
  read: (body: Uint8Array) => TraceResponse | null | undefined,
): PartialSuccess | undefined {
  if (body.length === 0) return undefined;
  try {
    const partial = read(body)?.partialSuccess;
    if (typeof partial !== 'object' || partial === null) return undefined;
    // JSON has 64-bit integers as text.
    const count = Number(partial.rejectedSpans ?? 0);
    const rejected = Number.isSafeInteger(count) && count > 0 ? count : 0;
    const message = typeof partial.errorMessage === 'string' ? printable(partial.errorMessage) : '';
    return rejected > 0 || message !== '' ? { rejected, message } : undefined;
  } catch {
    return undefined;
  }
}

function printable(text: string): string {
  return text.slice(0, LONGEST_MESSAGE).replace(UNPRINTABLE, ' ').trim();
}
