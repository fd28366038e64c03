/**
 * The request in hand: one storage that every signal reads. OpenTelemetry's context manager is built on it.
 */
import { EventEmitter } from 'node:events';
import {
  type Context,
  type ContextAPI,
  type ContextManager,
  ROOT_CONTEXT,
  type SpanContext,
  trace,
} from '@opentelemetry/api';
import { createScopeStorage, type ScopeStorage } from './scope-storage.ts';
import type { SpanIds } from './signals.ts';

/** How a subject ended. */
export type Outcome = 'success' | 'error' | 'timeout' | 'cancelled';

/** The one ending of a request, which metric, span, log line and stored record all read. */
export interface Ending {
  readonly outcome: Outcome;
  /** Low-cardinality cause (`client_disconnect`, `stream_error`, `timeout`, `shutdown`, a status code), or `''`. */
  readonly errorType: string;
  /** The status label: the code that was sent, or 499 for a client that went away. Absent outside HTTP. */
  readonly httpStatus?: number;
  /** Milliseconds, above 0, from the first byte in to the last byte out. */
  readonly durationMs: number;
}

/** What carries work to its last byte: an HTTP exchange. A session inside it declares its outcome and waits. */
export interface Carrier {
  /** Aborted when the client goes away, or when a shutdown runs out of time (`reason` tells which). */
  readonly signal: AbortSignal;
  /** Says how the work ended; the first failure stands, and a disconnect before the last byte turns success into `cancelled`. */
  declare(outcome: Outcome, errorType?: string): void;
  /** Calls back once, with the ending; at once if it has been settled. */
  whenSettled(listener: (ending: Ending) => void): void;
  /** Calls back with the clock's time once the next piece of the answer leaves; never, where none does. */
  onNextPiece?(listener: (now: number) => void): void;
  /** Fields that the closing line will say. */
  readonly closing: Record<string, unknown>;
}

/** Who is being served. Mutable on purpose: what is learnt late (session, user) reaches every later line. */
export interface RequestInHand {
  readonly requestId: string;
  sessionId?: string;
  userId?: string;
  readonly ip?: string;
  readonly carrier?: Carrier;
  /** Aborted when the work in hand should end: the carrier's signal, or a session's own with its time limit. */
  signal?: AbortSignal;
}

/** What the storage holds. `otel` carries the active span. */
export interface Scope {
  readonly request?: RequestInHand;
  readonly otel: Context;
  readonly phase?: string;
  /** The call that a breaker let through. */
  readonly call?: CallInHand;
  /** Ids of the active span, where `otel` would be made only to read them. */
  readonly ids?: SpanIds | undefined;
}

/** A call under way through a breaker: what it starts may find that it failed although nothing was thrown. */
export interface CallInHand {
  fault?: Error;
}

const storage: ScopeStorage<Scope> = createScopeStorage<Scope>();

/** The scope in hand, or none. */
export function currentScope(): Scope | undefined {
  return storage.get();
}

/** The request in hand, or none. */
export function currentRequest(): RequestInHand | undefined {
  return storage.get()?.request;
}

/** OpenTelemetry's context where the host manages it itself, with a storage of its own: both are entered then. */
let hosts: ContextAPI | undefined;

/** Follows the host's context manager from now on; `undefined` ends that. */
export function followHost(api: ContextAPI | undefined): void {
  hosts = api;
}

/** The active context: its span is the parent of what starts now. */
export function activeContext(): Context {
  return hosts === undefined ? (storage.get()?.otel ?? ROOT_CONTEXT) : hosts.active();
}

/** The active span's ids, or none; with `isRemote` where it is a span of another process. */
export function activeSpanContext(): (SpanIds & Pick<SpanContext, 'isRemote'>) | undefined {
  return (hosts === undefined ? storage.get()?.ids : undefined) ?? trace.getSpanContext(activeContext());
}

/** Runs `work` within `scope`; everything asynchronous that it starts stays within it. */
export function runInScope<T>(scope: Scope, work: () => T): T {
  const api = hosts;
  return storage.run(scope, api === undefined ? work : () => api.with(scope.otel, work));
}

/** Calls `method` of `target` within `scope`: with no function made for it, and directly where that is in hand already. */
export function applyInScope<A extends unknown[], R>(
  scope: Scope,
  method: (...args: A) => R,
  target: unknown,
  args: A,
): R {
  if (storage.get() === scope) return Reflect.apply(method, target, args);
  if (hosts !== undefined) return runInScope(scope, () => Reflect.apply(method, target, args));
  return storage.apply(scope, method, target, args);
}

/** Runs `work` within the scope in hand, changed by `patch`. */
export function runWith<T>(patch: Partial<Scope>, work: () => T): T {
  return runInScope(changed(storage.get(), activeContext(), patch), work);
}

function changed(scope: Scope | undefined, otel: Context, patch: Partial<Scope>): Scope {
  return { request: scope?.request, phase: scope?.phase, call: scope?.call, otel, ...patch };
}

/** A stream each step of which runs within the scope in hand, changed by `patch`; what its reader leaves open is closed. */
export async function* streamWith<T>(patch: Partial<Scope>, open: () => AsyncIterable<T>): AsyncGenerator<T> {
  let leftOpen: AsyncIterator<T> | undefined;
  try {
    const items = runWith(patch, () => open()[Symbol.asyncIterator]());
    for (;;) {
      leftOpen = undefined;
      const step = await runWith(patch, () => items.next());
      if (step.done) return;
      leftOpen = items;
      yield step.value;
    }
  } finally {
    const items = leftOpen;
    if (items !== undefined) await runWith(patch, async () => items.return?.());
  }
}

/**
 * Binds a function or an event emitter to a scope (the one in hand by default): whoever calls the function, or makes
 * the emitter emit, its code and listeners run within that scope. An emitter is bound on the instance alone.
 */
export function bindToScope<T>(target: T, scope: Scope | undefined = storage.get()): T {
  if (scope === undefined) return target;
  if (target instanceof EventEmitter) return bindEmitter(target, scope) as T;
  if (typeof target !== 'function') return target;
  return function (this: unknown, ...args: unknown[]): unknown {
    return runInScope(scope, () => Reflect.apply(target, this, args));
  } as T;
}

function bindEmitter<E extends EventEmitter>(emitter: E, scope: Scope): E {
  const emit = emitter.emit;
  emitter.emit = function (this: E, event: string | symbol, ...args: unknown[]): boolean {
    if (storage.get() === scope) return Reflect.apply(emit, this, [event, ...args]);
    return runInScope(scope, () => Reflect.apply(emit, this, [event, ...args]));
  } as E['emit'];
  return emitter;
}

/** OpenTelemetry's context manager over the same storage, so that users' spans and Binnacle's nest in each other. */
export const contextManager: ContextManager = {
  active: (): Context => storage.get()?.otel ?? ROOT_CONTEXT,
  with: (otel, fn, thisArg, ...args) =>
    storage.run(changed(storage.get(), otel, {}), () => Reflect.apply(fn, thisArg, args)),
  bind: (otel, target) => bindToScope(target, changed(storage.get(), otel, {})),
  enable: () => contextManager,
  disable: () => contextManager,
};
