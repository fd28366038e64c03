/** Records for tests, of which only what matters is said. */
import type { LogRecord, SpanRecord } from '../model/wire.ts';

export function span(words: Partial<SpanRecord> & { readonly spanId: string }): SpanRecord {
  return {
    traceId: 't1',
    name: words.spanId,
    kind: 'internal',
    start: 0,
    duration: 10,
    status: 'unset',
    attributes: {},
    service: 'one',
    ...words,
  };
}

export function line(words: Partial<LogRecord> & { readonly seq: number }): LogRecord {
  return {
    time: words.seq,
    level: 'INFO',
    logger: 'one',
    message: `line ${words.seq}`,
    service: 'one',
    fields: {},
    ...words,
  };
}
