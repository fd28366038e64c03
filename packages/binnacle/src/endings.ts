/** How a thrown value ends a subject: as an error, a timeout, or a cancellation that nobody is to blame for. */
import { currentRequest, type Outcome, type RequestInHand } from './context.ts';
import type { Level } from './signals.ts';

/** The level of a closing line, by its outcome. */
export const CLOSING_LEVELS: Readonly<Record<Outcome, Level>> = {
  success: 'INFO',
  cancelled: 'INFO',
  timeout: 'WARNING',
  error: 'ERROR',
};

/** What an error that was thrown, or a signal's reason, means as an outcome. Reads `name`s alone, no message. */
export function outcomeOf(
  error: unknown,
  signal: AbortSignal | undefined = signalInHand(),
): Exclude<Outcome, 'success'> {
  if (signal?.aborted) return isTimeout(signal.reason) ? 'timeout' : 'cancelled';
  if (isTimeout(error)) return 'timeout';
  return isAbort(error) ? 'cancelled' : 'error';
}

/** The request in hand as users have it: outside of a session its signal is that of what carries it, made once asked for. */
export function requestInHand(): RequestInHand | undefined {
  const request = currentRequest();
  if (request?.carrier !== undefined) request.signal ??= request.carrier.signal;
  return request;
}

/** The signal of the work in hand, or none. */
export function signalInHand(): AbortSignal | undefined {
  const request = currentRequest();
  return request?.signal ?? request?.carrier?.signal;
}

/** A low-cardinality name for an error: an HTTP status, a code, or its class. */
export function errorTypeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '_OTHER';
  const { status, code, name } = error as { status?: unknown; code?: unknown; name?: unknown };
  if (typeof status === 'number' && status >= 100 && status <= 599) return String(status);
  for (const word of [code, name === 'Error' ? error.constructor?.name : name]) {
    if (typeof word === 'string' && /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/.test(word)) return word;
  }
  return '_OTHER';
}

function isTimeout(error: unknown): boolean {
  return nameOf(error) === 'TimeoutError' || nameOf(error) === 'APIConnectionTimeoutError';
}

function isAbort(error: unknown): boolean {
  return nameOf(error) === 'AbortError' || nameOf(error) === 'APIUserAbortError';
}

/** SDKs often leave `name` at `Error`; the class tells then. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  return error.name === 'Error' ? error.constructor.name : error.name;
}

/** The fields of a closing line: the ending's own first, which stand, then what was noted on the way. */
export function closingFields(
  own: Readonly<Record<string, unknown>>,
  noted: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return { ...own, ...noted, ...own };
}
