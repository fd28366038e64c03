/** Everything that can go wrong, as one error with a code. */

/** Codes that the service answers with. */
export type ServiceCode =
  | 'bad_request'
  | 'not_found'
  | 'method_not_allowed'
  | 'session_busy'
  | 'too_large'
  | 'unsupported_type'
  | 'too_many_sessions'
  | 'shutting_down'
  | 'upstream_unavailable'
  | 'timeout'
  | 'internal';

/**
 * Codes of the client's own. `network`: the service cannot be reached. `protocol`: it answered something else than the
 * contract has. `cancelled`: the session's caller went away before it was done. `interrupted`: the service stopped while
 * it ran. `failed`: it is stored as failed, and why is not. `replaced`: its id was run again meanwhile.
 */
export type ClientCode = 'network' | 'protocol' | 'cancelled' | 'interrupted' | 'failed' | 'replaced';

export type ErrorCode = ServiceCode | ClientCode;

export interface FitCheckErrorDetails {
  /** The HTTP status, where the answer was one. */
  readonly status?: number;
  /** What the service calls the request in its logs. */
  readonly requestId?: string;
  /** How long the service asks to be left alone, in milliseconds. */
  readonly retryAfterMs?: number;
  readonly sessionId?: string;
  readonly cause?: unknown;
}

export class FitCheckError extends Error {
  readonly code: ErrorCode;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly sessionId: string | undefined;

  constructor(code: ErrorCode, message: string, details: FitCheckErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'FitCheckError';
    this.code = code;
    this.status = details.status;
    this.requestId = details.requestId;
    this.retryAfterMs = details.retryAfterMs;
    this.sessionId = details.sessionId;
  }
}

const CODES: ReadonlySet<string> = new Set<ServiceCode>([
  'bad_request',
  'not_found',
  'method_not_allowed',
  'session_busy',
  'too_large',
  'unsupported_type',
  'too_many_sessions',
  'shutting_down',
  'upstream_unavailable',
  'timeout',
  'internal',
]);

/** A code of the service; `internal` for one that this client does not know. */
export function toServiceCode(code: unknown): ServiceCode {
  return typeof code === 'string' && CODES.has(code) ? (code as ServiceCode) : 'internal';
}

/** The most of an error's body that is read, in characters. */
const MAX_BODY = 65_536;

/** An answer that is no success, as an error; what a proxy answered in the service's place has a code by its status. */
export async function toError(response: Response, sessionId?: string): Promise<FitCheckError> {
  const { status, headers } = response;
  const text = await response.text().catch(() => '');
  const told = bodyOf(text.slice(0, MAX_BODY));
  const requestId = told?.request_id ?? headers.get('x-request-id') ?? undefined;
  const retryAfterMs = retryAfterOf(headers.get('retry-after'));
  const details = { status, requestId, retryAfterMs, sessionId };
  if (told !== undefined) return new FitCheckError(toServiceCode(told.code), told.message, details);
  return new FitCheckError(codeOfStatus(status), `The service answered with status ${status}.`, details);
}

function bodyOf(text: string): { code: string; message: string; request_id?: string } | undefined {
  try {
    const { code, message, request_id } = (JSON.parse(text) as { error: Record<string, unknown> }).error;
    if (typeof code !== 'string' || typeof message !== 'string') return undefined;
    return { code, message, ...(typeof request_id === 'string' && { request_id }) };
  } catch {
    return undefined;
  }
}

function codeOfStatus(status: number): ErrorCode {
  if (status === 404) return 'not_found';
  if (status === 413) return 'too_large';
  if (status === 504) return 'timeout';
  if (status === 429 || status === 502 || status === 503) return 'upstream_unavailable';
  return status >= 400 && status < 500 ? 'bad_request' : status >= 500 ? 'internal' : 'protocol';
}

/** Seconds, or a date (RFC 9110, section 10.2.3), as milliseconds from now. */
function retryAfterOf(text: string | null): number | undefined {
  if (text === null) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}
