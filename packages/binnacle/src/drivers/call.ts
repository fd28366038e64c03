/**
 * One call that leaves the process: a client span and, to a database, its duration, with exactly one ending. Attributes
 * follow OpenTelemetry's conventions for databases (https://opentelemetry.io/docs/specs/semconv/db/, stable since 1.33)
 * and HTTP clients (https://opentelemetry.io/docs/specs/semconv/http/http-spans/).
 */
import {
  type Attributes,
  type Context,
  INVALID_SPAN_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { activeContext, currentRequest, runWith } from '../context.ts';
import { errorTypeOf } from '../endings.ts';
import type { Signals } from '../signals.ts';

/** A database, or Redis, and what it is asked. */
export interface DatabaseCall {
  /** `db.system.name`: `postgresql`, `mysql`, `sqlite`, `redis`. */
  readonly system: string;
  /** `db.operation.name`: a command's or statement's first word, in capitals. */
  readonly operation: string;
  /** `db.collection.name`: the one table that it is about. */
  readonly collection?: string | undefined;
  /** `db.namespace`: the database's name or number. */
  readonly namespace?: string | undefined;
  /** `db.query.text`, without values. */
  readonly text?: string | undefined;
  /** `db.operation.batch.size`, where several are sent at once. */
  readonly batchSize?: number | undefined;
  readonly address?: string | undefined;
  readonly port?: number | undefined;
}

const SILENT = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

/** A call under way. The first ending stands. */
export interface Call {
  readonly span: Span;
  /** The active context with its span. */
  readonly context: Context;
  /** Runs `work` within its span. */
  run<T>(work: () => T): T;
  end(attributes?: Attributes): void;
  /** Ends it as failed. What the error says in words stays out: it may hold values. */
  fail(error: unknown, attributes?: Attributes): void;
}

/**
 * Starts a call to a database; none for those of health checks and of quiet work, which are made with tracing
 * suppressed and no request in hand. Within a request that is not traced, and where the host's own instrumentation has
 * made the span (`isHosts`), its duration alone is told.
 */
export function startDatabaseCall(
  signals: Signals,
  info: DatabaseCall,
  parent: Context = activeContext(),
  isHosts = false,
): Call | undefined {
  const { meters, clock } = signals;
  const suppressed = isTracingSuppressed(parent);
  if (suppressed && currentRequest() === undefined) return undefined;
  const startedAt = clock.now();
  const spanless = suppressed || isHosts;
  const call = spanless
    ? startSilentCall(parent)
    : startCall(signals, databaseName(info), databaseAttributes(info), parent);
  const settle = (errorType: string): void => {
    const labels = { db_system_name: info.system, db_operation_name: info.operation, error_type: errorType };
    meters.dbDuration.bind(labels).observe((clock.now() - startedAt) / 1000, call.span.spanContext());
  };
  let ended = false;
  const once = (errorType: string): boolean => {
    if (ended) return false;
    ended = true;
    settle(errorType);
    return true;
  };
  return {
    ...call,
    end: (attributes) => void (once('') && call.end(attributes)),
    fail(error, attributes) {
      const status = databaseStatus(error);
      const more = { ...(status !== undefined && { 'db.response.status_code': status }), ...attributes };
      if (once(status ?? errorTypeOf(error))) call.fail(error, more);
    },
  };
}

/** Starts a span of kind CLIENT as a child of the active one. */
export function startCall(signals: Signals, name: string, attributes: Attributes, parent: Context): Call {
  const span = signals.spans.start(name, SpanKind.CLIENT, attributes, parent);
  const context = trace.setSpan(parent, span);
  const end = (more: Attributes | undefined): void => {
    if (more !== undefined) span.setAttributes(more);
    span.end();
  };
  return {
    span,
    context,
    run: (work) => runWith({ otel: context }, work),
    end,
    fail(error, more) {
      span.setAttribute('error.type', String(more?.['db.response.status_code'] ?? errorTypeOf(error)));
      span.setStatus({ code: SpanStatusCode.ERROR });
      end(more);
    },
  };
}

/** A call without a span, for its duration alone. */
function startSilentCall(context: Context): Call {
  return { span: SILENT, context, run: (work) => work(), end: () => {}, fail: () => {} };
}

/** What runs a promise within a call, and ends it as the promise does. The promise itself is passed on. */
export function settleWith<T>(call: Call, promise: PromiseLike<T>, attributesOf?: (value: T) => Attributes): void {
  promise.then(
    (value) => call.end(attributesOf?.(value)),
    (error: unknown) => call.fail(error),
  );
}

/** `{operation} {target}`, by the conventions: the table, else the database, else the server, else the system. */
function databaseName({ operation, collection, namespace, address, port, system }: DatabaseCall): string {
  const server = address === undefined ? system : port === undefined ? address : `${address}:${port}`;
  return `${operation} ${collection ?? namespace ?? server}`;
}

function databaseAttributes(info: DatabaseCall): Attributes {
  const attributes: Attributes = { 'db.system.name': info.system, 'db.operation.name': info.operation };
  if (info.collection !== undefined) attributes['db.collection.name'] = info.collection;
  if (info.namespace !== undefined) attributes['db.namespace'] = info.namespace;
  if (info.text !== undefined) attributes['db.query.text'] = info.text;
  if (info.batchSize !== undefined && info.batchSize > 1) attributes['db.operation.batch.size'] = info.batchSize;
  if (info.address !== undefined) attributes['server.address'] = info.address;
  if (info.port !== undefined) attributes['server.port'] = info.port;
  return attributes;
}

/** Codes that a server answers with. A library's own (`CONNECTION_ENDED`, `CLIENT_CLOSED`) are none. */
const SERVER_CODE = /^(?:(?=.*\d)[0-9A-Z]{5}|(?:ER|WARN|SQLITE)_[A-Z0-9_]{1,60})$/;

/** The server's own code (SQLSTATE, `ER_DUP_ENTRY`, `SQLITE_CONSTRAINT`), or Redis' first word (`WRONGTYPE`). */
function databaseStatus(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, name, message, syscall } = error as Readonly<Record<string, unknown>>;
  // Node's own codes (`ECONNREFUSED`, `ERR_SOCKET_CLOSED`) are no answer of a server.
  if (syscall !== undefined || String(code).startsWith('ERR_')) return undefined;
  if (typeof code === 'string' && SERVER_CODE.test(code)) return code;
  if (name === 'ReplyError' || error.constructor?.name === 'SimpleError') {
    return typeof message === 'string' ? /^[A-Z][A-Z]{1,31}(?= )/.exec(message)?.[0] : undefined;
  }
  return undefined;
}
