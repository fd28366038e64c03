/**
 * The closing line of a request, compiled: what all requests of a kind say alike is written once, and each adds its
 * ids and numbers. The same line, to the byte, as the logger would put together, for a fraction of its price.
 */
import type { CompiledLine, EndedRequest, EndedWithLine, Level, RequestKind } from '../signals.ts';
import { addFields } from './fields.ts';
import { type SafeFields, toSafe } from './safe.ts';
import { createBudget } from './text.ts';

export interface ClosingLineOptions {
  /** `"timestamp":"…"`, of a time in Unix milliseconds. */
  readonly timestamp: (at: number) => string;
  /** `service`, `version`, `environment`. */
  readonly origin: SafeFields;
  /** Takes the line, its newline included. */
  readonly write: (line: string) => void;
  /** Whether lines of the logger are written at that level now, and say nothing more than its name. */
  readonly isPlain: () => boolean;
  readonly isEnabled: () => boolean;
}

/** Compiles the lines of a kind, which the logger of a name writes at a level. */
export function compileClosingLine(
  level: Level,
  logger: string,
  kind: RequestKind,
  { timestamp, origin, write, isPlain, isEnabled }: ClosingLineOptions,
): CompiledLine {
  const { outcome, httpStatus, method, route, errorType } = kind;
  const head = `,${piece({ level, logger, message: MESSAGE })},"request_id":"`;
  const error_type = errorType === '' ? undefined : errorType;
  const ending = `,${piece({ status: outcome, http_status: httpStatus, method, route, error_type })}`;
  const beginningAt = createBeginning(head);
  const tail = `,${piece(origin)}}\n`;
  const sizesOf = createSizes();
  const said = [MESSAGE, outcome, method, route, errorType].join('').length;
  return {
    isEnabled,
    notes({ request }, noted) {
      if (request.sessionId !== undefined || request.userId !== undefined || !isPlain()) return undefined;
      return noted === undefined ? '' : textOfNoted(noted, said);
    },
    write(ended: EndedWithLine) {
      const { request } = ended;
      write(
        `${beginningAt(timestamp(ended.endedAt))}${escaped(request.requestId)}${addressOf(request.ip)}${idsOf(ended)}${textOfMs(ended.durationMs)}${ending}${firstByteOf(ended)}${sizesOf(ended)}${streamOf(ended)}${ended.notes}${tail}`,
      );
    },
  };
}

const MESSAGE = 'Request completed';
/** Names that stand elsewhere in a line, or that it has already. */
const PLACED: ReadonlySet<string> = new Set([
  ...['request_id', 'session_id', 'user_id', 'ip', 'trace_id', 'span_id', 'trace_flags', 'phase', 'exception'],
  ...['duration_ms', 'status', 'http_status', 'method', 'route', 'error_type', 'first_byte_ms', 'request_bytes'],
  ...['response_bytes', 'stream_events', 'longest_gap_ms', 'module', 'function', 'line'],
]);
/** More of them are the logger's to bound. */
const NOTED_LIMIT = 100;

/** What was noted, made safe as the logger does it; undefined where only the logger knows where it belongs. */
function textOfNoted(noted: Readonly<Record<string, unknown>>, said: number): string | undefined {
  const budget = createBudget();
  budget.text -= said;
  const fields: SafeFields = {};
  addFields(fields, noted, budget);
  const names = Object.keys(fields);
  if (names.length > NOTED_LIMIT || names.some((name) => PLACED.has(name))) return undefined;
  const text = JSON.stringify(fields);
  return text.length === EMPTY ? '' : `,${text.slice(1, -1)}`;
}

const EMPTY = '{}'.length;

/** Request ids are visible ASCII without quotes: a backslash is all that JSON writes otherwise. */
function escaped(id: string): string {
  return id.includes('\\') ? id.replaceAll('\\', '\\\\') : id;
}

/** What all lines of a moment begin with: requests that end within one millisecond share it. */
function createBeginning(head: string): (timestamp: string) => string {
  let latest = '';
  let beginning = '';
  return (timestamp) => {
    if (timestamp !== latest) {
      latest = timestamp;
      beginning = `{${timestamp}${head}`;
    }
    return beginning;
  };
}

let latestIp = '';
let latestAddress = '';

/** Addresses were checked to be such: they hold nothing that JSON writes otherwise. */
function addressOf(ip: string | undefined): string {
  if (ip === undefined) return '"';
  if (ip !== latestIp) {
    latestIp = ip;
    latestAddress = `","ip":"${ip}"`;
  }
  return latestAddress;
}

/** Up to the duration, which is next. */
function idsOf({ ids }: EndedRequest): string {
  if (ids === undefined || ids.traceId === INVALID) return DURATION;
  return `,"trace_id":"${ids.traceId}","span_id":"${ids.spanId}${FLAGS[ids.traceFlags & 0xff]}`;
}

const DURATION = ',"duration_ms":';

/** https://www.w3.org/TR/trace-context/#trace-id: a span that there is not. */
const INVALID = '0'.repeat(32);
const FLAGS: readonly string[] = Array.from(
  { length: 256 },
  (_, flags) => `","trace_flags":"${flags.toString(16).padStart(2, '0')}"${DURATION}`,
);

function firstByteOf({ firstByteMs }: EndedRequest): string {
  return firstByteMs === undefined ? '' : `,"first_byte_ms":${textOfMs(firstByteMs)}`;
}

/** Answers of a kind are often as long as the one before. */
function createSizes(): (ended: EndedRequest) => string {
  let latestRequest = -1;
  let latestResponse = -1;
  let text = '';
  return ({ requestBytes, responseBytes }) => {
    if (requestBytes !== latestRequest || responseBytes !== latestResponse) {
      latestRequest = requestBytes;
      latestResponse = responseBytes;
      text = `,"request_bytes":${requestBytes},"response_bytes":${responseBytes}`;
    }
    return text;
  };
}

function streamOf({ streamEvents, longestGapMs }: EndedRequest): string {
  if (streamEvents === undefined) return '';
  return `,"stream_events":${streamEvents},"longest_gap_ms":${textOfMs(longestGapMs ?? 0)}`;
}

/** Fields as they stand within a line. */
function piece(fields: SafeFields): string {
  const budget = createBudget();
  const safe = Object.entries(fields).map(([key, value]) => [key, toSafe(key, value, budget)]);
  return JSON.stringify(Object.fromEntries(safe)).slice(1, -1);
}

/** `.001` to `.999`, without zeros at their end: of a fraction, V8 would find the digits anew each time. */
const FRACTIONS: readonly string[] = Array.from({ length: 1000 }, (_, thousandths) =>
  thousandths === 0 ? '' : `.${String(thousandths).padStart(3, '0').replace(/0+$/, '')}`,
);

/** Milliseconds as `roundMs` gives them, as text. */
function textOfMs(ms: number): string {
  const thousandths = Math.max(1, Math.round(ms * 1000));
  if (!(thousandths < 1e12)) return String(ms);
  const whole = Math.floor(thousandths / 1000);
  return whole + (FRACTIONS[thousandths - whole * 1000] as string);
}
