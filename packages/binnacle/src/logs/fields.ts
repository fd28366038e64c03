/**
 * A line's own fields: what a caller handed to the logger becomes flat, safe fields with the contract's names.
 * Errors become `exception`, a request `method` and `path`, a response `http_status`.
 */
import { describeThrown, isError } from './exception.ts';
import { isRequestLike, requestPath, type SafeFields, setField, toSafe } from './safe.ts';
import { type Budget, cleanText } from './text.ts';

/** Names that every line has of its own; a caller's field of such a name is kept with an underscore behind it. */
const RESERVED: ReadonlySet<string> = new Set([
  'timestamp',
  'level',
  'logger',
  'message',
  'service',
  'version',
  'environment',
]);

/** A line's own fields beyond this many are cut. */
const FIELDS_LIMIT = 200;

/** Adds a caller's fields to a line. `skip` names a field that was used otherwise (the message). Never throws. */
export function addFields(target: SafeFields, source: object, budget: Budget, skip?: string): void {
  let keys: readonly string[];
  try {
    keys = Object.keys(source);
  } catch {
    target.fields = '[unreadable]';
    return;
  }
  const count = Math.min(keys.length, FIELDS_LIMIT);
  for (let i = 0; i < count; i++) {
    const key = keys[i] as string;
    if (key !== skip) addField(target, source, key, budget);
  }
  if (count < keys.length) target['…'] = `${keys.length - count} keys cut`;
}

function addField(target: SafeFields, source: object, key: string, budget: Budget): void {
  let value: unknown;
  try {
    value = (source as Readonly<Record<string, unknown>>)[key];
    if (value === undefined) return;
    if (typeof value === 'object' && value !== null && addSpecial(target, key, value, budget)) return;
  } catch {
    value = '[unreadable]';
  }
  if ((key === 'err' || key === 'exception') && typeof value !== 'object') {
    addException(target, key, value, budget);
  } else if (key === 'responseTime' && typeof value === 'number') {
    target.duration_ms = toSafe('duration_ms', value, budget);
  } else {
    setField(target, RESERVED.has(key) ? `${key}_` : key, toSafe(key, value, budget));
  }
}

/** Objects that have a form of their own by the name they came under. Tells whether it took the value. */
function addSpecial(target: SafeFields, key: string, value: object, budget: Budget): boolean {
  switch (key) {
    case 'err':
    case 'error':
    case 'exception':
      if (key !== 'err' && !isErrorLike(value)) return false;
      addException(target, key, value, budget);
      return true;
    case 'req':
    case 'request':
      if (!isRequestLike(value)) return false;
      target.method ??= cleanText(value.method, budget);
      target.path ??= requestPath(value, budget);
      return true;
    case 'res':
    case 'reply':
    case 'response':
      return addResponse(target, value);
    default:
      return false;
  }
}

/** The first error of a line is its `exception`; a second one keeps the name it came under. */
export function addException(target: SafeFields, key: string, thrown: unknown, budget: Budget): void {
  target[target.exception === undefined ? 'exception' : key] = describeThrown(thrown, budget);
}

/** An error, or what is left of one that came through a wire or another realm. */
function isErrorLike(value: object): boolean {
  if (isError(value)) return true;
  const { message, stack } = value as { message?: unknown; stack?: unknown };
  return typeof message === 'string' && typeof stack === 'string' && !('type' in value);
}

function addResponse(target: SafeFields, value: object): boolean {
  const { statusCode, status } = value as { statusCode?: unknown; status?: unknown };
  const code = typeof statusCode === 'number' ? statusCode : status;
  if (typeof code !== 'number') return false;
  target.http_status ??= code;
  return true;
}
