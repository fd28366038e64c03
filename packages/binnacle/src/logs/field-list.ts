/**
 * The fields of all lines, of lines of a request, and of its closing line. The reference (`npm run docs`) is made of it,
 * and a test holds it against the lines of a service that uses all of it.
 */

/** On which lines a field is. */
export type FieldOf = 'every line' | 'lines of a request' | 'closing lines' | 'some lines';

export interface LineField {
  readonly name: string;
  readonly type: 'string' | 'number' | 'boolean' | 'object';
  readonly of: FieldOf;
  readonly meaning: string;
}

/** In the order in which lines have them. */
export const lineFields: readonly LineField[] = [
  { name: 'timestamp', type: 'string', of: 'every line', meaning: 'ISO 8601, UTC, milliseconds.' },
  { name: 'level', type: 'string', of: 'every line', meaning: 'TRACE, DEBUG, INFO, WARNING, ERROR or CRITICAL.' },
  {
    name: 'logger',
    type: 'string',
    of: 'every line',
    meaning: "The name of the logger; the service's own unless told.",
  },
  { name: 'message', type: 'string', of: 'every line', meaning: 'What happened.' },
  {
    name: 'request_id',
    type: 'string',
    of: 'lines of a request',
    meaning: 'From `x-request-id`, or a new one; the answer carries it back.',
  },
  { name: 'session_id', type: 'string', of: 'lines of a request', meaning: 'The id of the session, within one.' },
  { name: 'user_id', type: 'string', of: 'lines of a request', meaning: 'What `observe({ user })` said.' },
  {
    name: 'ip',
    type: 'string',
    of: 'lines of a request',
    meaning: "The peer's address, or the forwarded one with `TRUST_PROXY`.",
  },
  { name: 'trace_id', type: 'string', of: 'lines of a request', meaning: 'The trace, 32 hexadecimal digits.' },
  { name: 'span_id', type: 'string', of: 'lines of a request', meaning: 'The span that was active, 16 digits.' },
  { name: 'trace_flags', type: 'string', of: 'lines of a request', meaning: '`01` where the trace is sampled.' },
  { name: 'phase', type: 'string', of: 'some lines', meaning: 'The phase in hand; never on a closing line.' },
  { name: 'phases', type: 'object', of: 'closing lines', meaning: 'Milliseconds by phase.' },
  { name: 'cache', type: 'object', of: 'closing lines', meaning: '`hit`, `miss` or `error` by cache.' },
  { name: 'breakers', type: 'object', of: 'closing lines', meaning: 'The state of each breaker that was passed.' },
  {
    name: 'llm',
    type: 'object',
    of: 'closing lines',
    meaning:
      '`model`, `provider`, `calls`, `duration_ms`, `input_tokens`, `output_tokens`, `usage_source`: of the calls of models, summed.',
  },
  { name: 'duration_ms', type: 'number', of: 'some lines', meaning: 'Milliseconds, to three decimals; above 0.' },
  {
    name: 'status',
    type: 'string',
    of: 'closing lines',
    meaning: '`success`, `error`, `timeout` or `cancelled`; on lines of phases that failed, too.',
  },
  {
    name: 'http_status',
    type: 'number',
    of: 'closing lines',
    meaning: "The code, as the metric's label has it: 499 for a client that went away.",
  },
  { name: 'method', type: 'string', of: 'closing lines', meaning: 'The HTTP method; `_OTHER` for unknown ones.' },
  { name: 'route', type: 'string', of: 'closing lines', meaning: "The route's template, or `__unmatched__`." },
  {
    name: 'error_type',
    type: 'string',
    of: 'closing lines',
    meaning: 'Why it ended so, where that says more than the status; on lines of phases that failed, too.',
  },
  { name: 'first_byte_ms', type: 'number', of: 'closing lines', meaning: 'From the start to the first byte sent.' },
  { name: 'request_bytes', type: 'number', of: 'closing lines', meaning: "The request's body." },
  { name: 'response_bytes', type: 'number', of: 'closing lines', meaning: "The answer's body, as far as it was sent." },
  { name: 'stream_events', type: 'number', of: 'closing lines', meaning: 'Events of a stream, without heartbeats.' },
  { name: 'longest_gap_ms', type: 'number', of: 'closing lines', meaning: 'The longest silence within a stream.' },
  {
    name: 'exception',
    type: 'object',
    of: 'some lines',
    meaning: '`type`, `message`, `stack`, `code`, `cause`, and `errors` of an AggregateError.',
  },
  { name: 'module', type: 'string', of: 'some lines', meaning: 'The file that wrote the line (`LOG_CALLER`).' },
  { name: 'function', type: 'string', of: 'some lines', meaning: 'The function that wrote it (`LOG_CALLER`).' },
  { name: 'line', type: 'number', of: 'some lines', meaning: 'Where in the file (`LOG_CALLER`).' },
  { name: 'service', type: 'string', of: 'every line', meaning: '`OTEL_SERVICE_NAME`, or `observe({ service })`.' },
  { name: 'version', type: 'string', of: 'every line', meaning: "The service's version." },
  { name: 'environment', type: 'string', of: 'every line', meaning: '`ENVIRONMENT`.' },
];
