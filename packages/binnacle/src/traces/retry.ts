/** Whether and when an export is tried again: https://opentelemetry.io/docs/specs/otlp/#failures-1 */

const RETRYABLE_STATUS: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const RETRYABLE_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENOTFOUND',
  'ENETDOWN',
  'ENETUNREACH',
  'EHOSTDOWN',
  'EHOSTUNREACH',
]);
/** Pauses between attempts, in milliseconds: from the first, by the factor, to the most, each a fifth more or less. */
const BACKOFF = { first: 1000, factor: 1.5, most: 5000, jitter: 0.2 } as const;
/** The longest that a collector may ask to be left alone, in milliseconds: one that says a year was set up wrongly. */
const LONGEST_RETRY_AFTER_MS = 300_000;

export function isRetryableStatus(status: number): boolean {
  return RETRYABLE_STATUS.has(status);
}

/** Whether an error, by its code, is one of the connection. */
export function isRetryableCode(code: string): boolean {
  return RETRYABLE_CODES.has(code);
}

/** The pause after an attempt, in milliseconds; the first is 0. `random` is 0 to 1. */
export function backoffMs(attempt: number, random: number): number {
  const pause = Math.min(BACKOFF.first * BACKOFF.factor ** attempt, BACKOFF.most);
  return pause * (1 + BACKOFF.jitter * (2 * random - 1));
}

/** Milliseconds of a `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3), 5 minutes at most. */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), LONGEST_RETRY_AFTER_MS);
}
