/** What a check gave, made safe for a report: known words, codes instead of texts, bounded details. */
import type { Status } from './report.ts';

/** What a check may return. Nothing means healthy. */
export interface CheckResult {
  readonly status?: Status;
  /** A code; texts are replaced by `error`. */
  readonly error?: string;
  /** Details for the report: numbers, booleans and short strings under names of their own. */
  readonly [detail: string]: unknown;
}

/** A result as it is kept. */
export interface Outcome {
  readonly status: Status;
  readonly error: string | undefined;
  readonly details: Readonly<Record<string, string | number | boolean>>;
}

const RESERVED: ReadonlySet<string> = new Set(['status', 'critical', 'duration_ms', 'age_ms', 'error']);
const DETAIL_NAME = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;
const MAX_DETAILS = 16;
const MAX_DETAIL_LENGTH = 200;
/** No dots, colons or spaces: neither a host name nor an address nor a sentence passes for a code. */
const CODE = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
/** How deep wrapped errors are searched for a code. */
const DEPTH = 4;

/** Reads what a check returned; anything that is no result makes it unhealthy with `invalid_result`. Never throws. */
export function readResult(value: unknown): Outcome {
  if (value === undefined || value === null) return { status: 'healthy', error: undefined, details: {} };
  try {
    if (typeof value !== 'object' || Array.isArray(value)) return failure('invalid_result');
    const { status, error } = value as CheckResult;
    if (status !== undefined && !isStatus(status)) return failure('invalid_result');
    const code = error === undefined ? undefined : toCode(error);
    return {
      status: status ?? (code === undefined ? 'healthy' : 'unhealthy'),
      error: code,
      details: readDetails(value),
    };
  } catch {
    // A getter that throws.
    return failure('invalid_result');
  }
}

/** An unhealthy outcome for what a check threw: its code, or that of a cause, else its name. Never throws. */
export function readFailure(error: unknown): Outcome {
  try {
    return failure(findCode(error, DEPTH) ?? toCode((error as { name?: unknown } | null | undefined)?.name));
  } catch {
    return failure('error');
  }
}

/** An unhealthy outcome with a code. */
export function failure(code: string): Outcome {
  return { status: 'unhealthy', error: code, details: {} };
}

function isStatus(value: unknown): value is Status {
  return value === 'healthy' || value === 'degraded' || value === 'unhealthy';
}

function toCode(value: unknown): string {
  return typeof value === 'string' && CODE.test(value) ? value : 'error';
}

function findCode(error: unknown, depth: number): string | undefined {
  if (typeof error !== 'object' || error === null || depth === 0) return undefined;
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown };
  // DOMException's numbers (20, 23) say less than its names.
  if (typeof code === 'number' && !(error instanceof DOMException)) return String(code);
  if (typeof code === 'string' && CODE.test(code)) return code;
  return findCode(cause, depth - 1) ?? (Array.isArray(errors) ? findCode(errors[0], depth - 1) : undefined);
}

function readDetails(value: object): Outcome['details'] {
  const details: Record<string, string | number | boolean> = {};
  let left = MAX_DETAILS;
  for (const [name, detail] of Object.entries(value)) {
    if (left === 0) break;
    if (RESERVED.has(name) || !DETAIL_NAME.test(name)) continue;
    const kept = readDetail(detail);
    if (kept === undefined) continue;
    details[name] = kept;
    left -= 1;
  }
  return details;
}

function readDetail(value: unknown): string | number | boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') return value.slice(0, MAX_DETAIL_LENGTH);
  const number = typeof value === 'bigint' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}
