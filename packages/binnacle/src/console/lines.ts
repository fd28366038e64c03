/** A line of the log, as it was written, to what the console shows: only when a page asks. */
import { LEVELS } from '../settings.ts';
import type { ReadRecord } from './ring.ts';
import type { Attribute, LogRecord } from './wire.ts';

const KNOWN: ReadonlySet<string> = new Set(LEVELS);

/**
 * Reads a JSON line. What is said of every line alike (`version`, `environment`) the page knows from `hello`. A level
 * of a host's own is shown as INFO, its name among the fields.
 */
export const readLine: ReadRecord = (bytes) => {
  const line = JSON.parse(bytes.toString('utf8')) as Record<string, Attribute>;
  const { timestamp, level, logger, message, trace_id, span_id, service, version, environment, ...fields } = line;
  const isKnown = KNOWN.has(level as string);
  const record: Omit<LogRecord, 'seq'> = {
    time: Date.parse(String(timestamp)),
    level: isKnown ? (level as LogRecord['level']) : 'INFO',
    logger: textOf(logger),
    message: textOf(message),
    ...(typeof trace_id === 'string' && { traceId: trace_id }),
    ...(typeof span_id === 'string' && { spanId: span_id }),
    service: textOf(service),
    fields: isKnown ? fields : { level: level ?? null, ...fields },
  };
  return JSON.stringify(record);
};

function textOf(value: Attribute | undefined): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}
