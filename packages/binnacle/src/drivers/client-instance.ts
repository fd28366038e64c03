/** What the wrappers of instances share. None of it reaches the host's code with a failure of its own. */
import type { Attributes } from '@opentelemetry/api';
import type { Signals } from '../signals.ts';
import { type Call, type DatabaseCall, startDatabaseCall } from './call.ts';
import { summarize } from './sql.ts';
import type { SqlSystem } from './sql-tokens.ts';

/** A function of an instance. */
export type Method = (this: unknown, ...args: unknown[]) => unknown;

/** A call none of whose methods throws. */
export type QuietCall = Pick<Call, 'end' | 'fail' | 'run'>;

/** Where statements go. */
export interface Endpoint {
  readonly namespace?: string | undefined;
  readonly address?: string | undefined;
  readonly port?: number | undefined;
}

/**
 * Starts a call; none where tracing is suppressed, or where telemetry itself failed. Where the host's own
 * instrumentation makes the span (`isHosts`), the call has its duration alone.
 */
export function begin(signals: Signals, describe: () => DatabaseCall, isHosts = false): QuietCall | undefined {
  const call = attempt(() => startDatabaseCall(signals, describe(), undefined, isHosts));
  if (call === undefined) return undefined;
  return {
    run: (work) => call.run(work),
    end: (attributes?: Attributes) => attempt(() => call.end(attributes)),
    fail: (error: unknown, attributes?: Attributes) => attempt(() => call.fail(error, attributes)),
  };
}

/** What a statement is, as a call. */
export function statementCall(system: SqlSystem, sql: unknown, endpoint: Endpoint): DatabaseCall {
  const { operation, collection, text } = summarize(typeof sql === 'string' ? sql : '', system);
  return { system, operation, collection, text: text === '' ? undefined : text, ...endpoint };
}

/** Telemetry never hurts: a failure of our own gives nothing. */
export function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** Runs what a call is about, and ends the call as it ends. */
export function through<T>(call: QuietCall | undefined, work: () => T): T {
  if (call === undefined) return work();
  let result: T;
  try {
    result = work();
  } catch (error) {
    call.fail(error);
    throw error;
  }
  if (isThenable(result)) return passOn(call, result) as T;
  call.end();
  return result;
}

/**
 * The promise with the call's ending in between. A listener beside it would make its rejection a handled one, and the
 * host would never hear of a promise that it forgot.
 */
function passOn(call: QuietCall, promise: PromiseLike<unknown>): PromiseLike<unknown> {
  return promise.then(
    (value) => {
      call.end();
      return value;
    },
    (error: unknown) => {
      call.fail(error);
      throw error;
    },
  );
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'then') === 'function';
}

/** True where the host's own instrumentation (OpenTelemetry's shimmer) has wrapped a method already. */
export function isWrappedByHost(method: unknown): boolean {
  return typeof method === 'function' && '__wrapped' in method;
}

/**
 * Puts another method in the place of an instance's own or inherited one, on the instance alone. One that the host's own
 * instrumentation has wrapped is left alone, unless told that what is put there makes no span (`overHosts`).
 */
export function replaceMethod(
  instance: object,
  name: string,
  make: (original: Method) => Method,
  overHosts = false,
): void {
  const original: unknown = Reflect.get(instance, name);
  if (typeof original !== 'function' || (!overHosts && isWrappedByHost(original))) return;
  const method = make(original as Method);
  attempt(() => {
    for (const key of ['name', 'length'] as const) {
      Object.defineProperty(method, key, { value: original[key], configurable: true });
    }
    const enumerable = Object.prototype.propertyIsEnumerable.call(instance, name);
    Object.defineProperty(instance, name, { value: method, writable: true, configurable: true, enumerable });
  });
}

/** True where an object has functions of these names, its own or inherited. */
export function hasMethods(value: object, ...names: string[]): boolean {
  return names.every((name) => typeof Reflect.get(value, name) === 'function');
}
