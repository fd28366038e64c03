/** Errors as the service answers them: a code, a sentence, the request's id; nothing of the input but its name. */
import { BreakerOpenError, outcomeOf } from 'binnacle';

const STATUS = {
  bad_request: 400,
  not_found: 404,
  method_not_allowed: 405,
  session_busy: 409,
  too_large: 413,
  unsupported_type: 415,
  too_many_sessions: 503,
  shutting_down: 503,
  upstream_unavailable: 503,
  timeout: 504,
  internal: 500,
} as const;

export type ErrorCode = keyof typeof STATUS;

/** An error that the caller is told of. */
export class ServiceError extends Error {
  readonly code: ErrorCode;
  readonly headers: Readonly<Record<string, string>>;
  constructor(code: ErrorCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'ServiceError';
    this.code = code;
    this.headers = headers;
  }
  get status(): number {
    return STATUS[this.code];
  }
}

/** What an upstream threw, as the caller is told it. */
export class UpstreamError extends Error {
  constructor(service: string, cause: unknown) {
    super(`${service} could not be used`, { cause });
    this.name = 'UpstreamError';
  }
}

const FASTIFY_CODES: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_type', 'Send the body as application/json.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['bad_request', 'The body is empty; send a JSON object with "query".'],
  FST_ERR_CTP_INVALID_JSON_BODY: [
    'bad_request',
    'The body is not valid JSON, or holds a key that is not allowed ("__proto__", "constructor").',
  ],
  FST_ERR_CTP_BODY_TOO_LARGE: ['too_large', 'The body is larger than this service takes.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['bad_request', 'The body is not as long as Content-Length says.'],
  FST_ERR_BAD_URL: ['bad_request', 'The path is not validly encoded.'],
};

/** Any error that reached the framework, as one of ours. */
export function toServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof BreakerOpenError || error instanceof UpstreamError) {
    return new ServiceError('upstream_unavailable', 'The language model cannot be reached at the moment.', {
      'retry-after': '5',
    });
  }
  const { code, statusCode } = (typeof error === 'object' && error !== null ? error : {}) as {
    code?: unknown;
    statusCode?: unknown;
  };
  const known = typeof code === 'string' ? FASTIFY_CODES[code] : undefined;
  if (known !== undefined) return new ServiceError(...known);
  if (outcomeOf(error) === 'timeout') return new ServiceError('timeout', 'The analysis took longer than it may.');
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new ServiceError('bad_request', 'The request cannot be understood.');
  }
  return new ServiceError('internal', 'Something went wrong on our side.');
}

/** The body of an error's answer. */
export function errorBody(error: ServiceError, requestId: string): object {
  return { error: { code: error.code, message: error.message, request_id: requestId } };
}
