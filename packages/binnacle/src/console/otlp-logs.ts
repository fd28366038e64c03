/** Log records from OTLP's protobuf (`opentelemetry.proto.logs.v1`) to what the console shows. */
import { eachScoped, type Origin } from './otlp-envelope.ts';
import {
  CUT,
  DEPTH,
  type MutableAttributes,
  readAny,
  readAttribute,
  SPAN_ID_BYTES,
  TRACE_ID_BYTES,
  ZEROES,
} from './otlp-values.ts';
import { type Nanos, type ProtobufReader, toMs } from './protobuf.ts';
import type { Attribute, LogRecord } from './wire.ts';

const LOG = { time: 1, severity: 2, severityText: 3, body: 5, attributes: 6 } as const;
const LOG_IDS = { traceId: 9, spanId: 10, observed: 11, eventName: 12 } as const;

/** A store counts them. */
export type NewLog = Omit<LogRecord, 'seq'>;

/** The fields of a record, of whichever encoding. */
export interface LogDraft {
  /** Unix milliseconds, 0 where it is unknown. */
  time: number;
  observed: number;
  /** 1 to 24; 0 where there is none. */
  severity: number;
  severityText: string;
  body: Attribute;
  eventName: string;
  traceId: string;
  spanId: string;
  attributes: MutableAttributes;
}

/** The records of an `ExportLogsServiceRequest`; those without a time have `now`, in Unix ms. Throws OtlpError. */
export function decodeLogs(bytes: Uint8Array, now: number = Date.now()): NewLog[] {
  const logs: NewLog[] = [];
  eachLog(bytes, now, (log) => logs.push(log));
  return logs;
}

/** Gives each of a request's records, one by one. Throws OtlpError where it is none. */
export function eachLog(bytes: Uint8Array, now: number, take: (log: NewLog) => void): void {
  eachScoped(bytes, (from, origin) => {
    const outer = from.enter();
    const draft = readLog(from);
    from.leave(outer);
    take(finishLog(draft, origin, now));
  });
}

export function newLog(): LogDraft {
  return {
    time: 0,
    observed: 0,
    severity: 0,
    severityText: '',
    body: null,
    eventName: '',
    traceId: '',
    spanId: '',
    attributes: {},
  };
}

function readLog(from: ProtobufReader): LogDraft {
  from.room.begin();
  const log = newLog();
  const time: Nanos = { low: 0, high: 0 };
  const observed: Nanos = { low: 0, high: 0 };
  for (let field = from.next(); field !== 0; field = from.next()) {
    if (field === LOG.time) from.nanos(time);
    else if (field === LOG_IDS.observed) from.nanos(observed);
    else if (field <= LOG.attributes) readContent(from, field, log);
    else readNames(from, field, log);
  }
  log.time = toMs(time);
  log.observed = toMs(observed);
  if (from.room.cut) log.attributes[CUT] = true;
  return log;
}

function readContent(from: ProtobufReader, field: number, log: LogDraft): void {
  switch (field) {
    case LOG.severity:
      log.severity = from.uint();
      break;
    case LOG.severityText:
      log.severityText = from.string();
      break;
    case LOG.body:
      log.body = readAny(from, DEPTH);
      break;
    case LOG.attributes:
      readAttribute(from, log.attributes);
      break;
    default:
      from.skip();
  }
}

function readNames(from: ProtobufReader, field: number, log: LogDraft): void {
  switch (field) {
    case LOG_IDS.traceId:
      log.traceId = from.hex(TRACE_ID_BYTES);
      break;
    case LOG_IDS.spanId:
      log.spanId = from.hex(SPAN_ID_BYTES);
      break;
    case LOG_IDS.eventName:
      log.eventName = from.string();
      break;
    default:
      from.skip();
  }
}

/** As the console shows it: the logger is the scope, the message the body, or else the event's name. */
export function finishLog(draft: LogDraft, { service, scope }: Origin, now: number): NewLog {
  const { time, observed, body, eventName, traceId, spanId, attributes } = draft;
  const isTraced = !ZEROES.test(traceId);
  if (eventName !== '') attributes.event_name ??= eventName;
  return {
    time: time || observed || now,
    level: levelOf(draft),
    logger: scope,
    message: body === null ? eventName : messageOf(body),
    ...(isTraced && { traceId }),
    ...(isTraced && !ZEROES.test(spanId) && { spanId }),
    service,
    fields: attributes,
  };
}

function messageOf(body: Attribute): string {
  return typeof body === 'string' ? body : JSON.stringify(body);
}

/** https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber: four numbers a level. */
const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'] as const;
/** How levels are written by those who give no number. */
const WRITTEN: readonly (readonly [RegExp, LogRecord['level']])[] = [
  [/^(trace|verbose|finest)/i, 'TRACE'],
  [/^(debug|fine)/i, 'DEBUG'],
  [/^warn/i, 'WARNING'],
  [/^err/i, 'ERROR'],
  [/^(fatal|crit|alert|emerg|panic)/i, 'CRITICAL'],
];

function levelOf({ severity, severityText }: LogDraft): LogRecord['level'] {
  const level = severity > 0 ? LEVELS[Math.floor((severity - 1) / 4)] : undefined;
  return level ?? WRITTEN.find(([pattern]) => pattern.test(severityText))?.[1] ?? 'INFO';
}
