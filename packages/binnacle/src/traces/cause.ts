/** Why an export failed, as a code that may be printed: never a text, which may hold addresses or credentials. */

/** An export that failed for a known reason: `timeout`, `HTTP 503`, `ECONNREFUSED`… */
export class ExportError extends Error {
  readonly code: string;
  /** Milliseconds for which the endpoint asked not to be tried again. */
  readonly retryAfterMs: number | undefined;
  constructor(code: string, retryAfterMs?: number) {
    super(code);
    this.name = 'ExportError';
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

const CODE = /^[A-Za-z][A-Za-z0-9_ ]{0,63}$/;
/** How deep wrapped errors are searched. */
const DEPTH = 4;

/** The code of an error: its own or that of its causes, else its name. Never throws. */
export function describeCause(error: unknown): string {
  try {
    return findCode(error, DEPTH) ?? findName(error) ?? 'error';
  } catch {
    return 'error';
  }
}

function findCode(error: unknown, depth: number): string | undefined {
  if (typeof error !== 'object' || error === null || depth === 0) return undefined;
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown };
  // Some exporters give the status of an answer as a numeric code.
  if (typeof code === 'number' && code >= 100 && code < 600) return `HTTP ${code}`;
  if (typeof code === 'string' && CODE.test(code)) return code;
  return findCode(cause, depth - 1) ?? (Array.isArray(errors) ? findCode(errors[0], depth - 1) : undefined);
}

function findName(error: unknown): string | undefined {
  const name = (error as { name?: unknown } | null | undefined)?.name;
  return typeof name === 'string' && CODE.test(name) ? name : undefined;
}

/** An address as it may be printed: without user, password, query and fragment. */
export function printableEndpoint(url: string): string {
  if (!URL.canParse(url)) return '(not a URL)';
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
