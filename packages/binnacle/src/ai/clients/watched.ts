/** An SDK's stream, watched while its reader reads it: items, errors and their order pass as they are. */
import { signalInHand } from '../../endings.ts';
import type { ClientOperation } from '../operation.ts';
import type { Within } from '../within.ts';

/** What a client knows of its provider's stream. */
export interface StreamReader<T> {
  /** Reads an item for what it tells; whatever it throws is swallowed. */
  read(item: T): void;
  /** Whether the stream has said that it is whole. */
  isWhole(): boolean;
  /** Whether an item is there only because it was asked for here: who reads the stream never sees it. */
  hides?(item: T): boolean;
}

/** The call that a stream answers. */
export interface StreamCall {
  readonly operation: ClientOperation;
  /** The signal that it was made with. */
  readonly signal: AbortSignal | undefined;
  /** What the stream does is done within it. */
  readonly run: Within;
  /**
   * Whether its steps only take apart what comes over the network: nobody's code runs in them, and they are left where its
   * reader is. To enter a context for each is 0.7 KB a chunk on Node.js 24.
   */
  readonly onlyReads?: boolean;
  /** Tells of what the stream throws. */
  readonly fail: (error: unknown) => void;
  /** Whether the stream was told to end: SDKs end an aborted stream as if it were whole. */
  readonly isAborted: () => boolean;
}

/**
 * Wraps an iterator; the operation ends as it does. What it costs is paid for each chunk: one promise more, no function,
 * no context where steps only read.
 */
export function watchIterator<T, R, N>(
  { operation, signal, run, onlyReads = false, fail, isAborted }: StreamCall,
  iterator: AsyncIterator<T, R, N>,
  reader: StreamReader<T>,
): AsyncIterator<T, R, N> {
  const finish = (): void => {
    if (reader.isWhole()) operation.end();
    else if (isAborted()) operation.cutOff(timeoutOf(signal));
    else operation.breakOff();
  };
  const hides = reader.hides !== undefined;
  const step = (): Promise<IteratorResult<T, R>> => iterator.next();
  const stepWith = (value: N) => (): Promise<IteratorResult<T, R>> => iterator.next(value);
  const onStep = (result: IteratorResult<T, R>): IteratorResult<T, R> | Promise<IteratorResult<T, R>> => {
    if (result.done === true) {
      guard(finish);
      return result;
    }
    // Not by `guard`: what it is given is another function each time, so that V8 cannot take it in.
    try {
      operation.chunk();
      reader.read(result.value);
    } catch {
      // There is nobody to tell.
    }
    return hides && isHidden(reader, result.value) ? next() : result;
  };
  const onError = (error: unknown): never => {
    fail(error);
    throw error;
  };
  const take = (value: N | undefined): Promise<IteratorResult<T, R>> => {
    if (onlyReads) return iterator.next(value as N);
    return run(value === undefined ? step : stepWith(value));
  };
  const next = (value?: N): Promise<IteratorResult<T, R>> => Promise.resolve(take(value)).then(onStep, onError);
  const watched: AsyncIterator<T, R, N> = { next };
  const leave = iterator.return?.bind(iterator);
  if (leave !== undefined) {
    watched.return = (value) => {
      // Its reader left: before the end, or with all that there was.
      guard(() => (reader.isWhole() ? operation.end() : abandon(operation, signal)));
      return run(() => leave(value));
    };
  }
  const raise = iterator.throw?.bind(iterator);
  if (raise !== undefined) {
    watched.throw = (error) => {
      guard(() => operation.error(error));
      return run(() => raise(error));
    };
  }
  return watched;
}

function isHidden<T>(reader: StreamReader<T>, item: T): boolean {
  try {
    return reader.hides?.(item) === true;
  } catch {
    return false;
  }
}

/** The time limit of the caller's that ended a call. SDKs throw one and the same error whatever its signal was aborted for. */
export function timeoutOf(signal: AbortSignal | undefined): Error | undefined {
  const reason: unknown = signal?.reason;
  return reason instanceof Error && reason.name === 'TimeoutError' ? reason : undefined;
}

/** Ends the operation of a call that was given up: by a time limit it failed, by anybody it was cancelled. */
export function abandon(operation: ClientOperation, signal: AbortSignal | undefined): void {
  const timeout = timeoutOf(signal);
  if (timeout === undefined) operation.abort();
  else operation.error(timeout);
}

/** Telemetry at run time never throws into its host. */
export function guard(work: () => void): void {
  try {
    work();
  } catch {
    // There is nobody to tell.
  }
}

/**
 * The signal that a call is to be made with: the caller's own, and that of the request in hand, so that a call ends when
 * the client that it is for goes away. `undefined` where there is neither.
 */
export function signalFor(own: AbortSignal | null | undefined): AbortSignal | undefined {
  const held = signalInHand();
  if (held === undefined) return own ?? undefined;
  return own === null || own === undefined || own === held ? held : joinSignals(own, held);
}

/** What a joined signal is made from, for as long as that one is waited for. */
const sources = new WeakMap<AbortSignal, readonly AbortSignal[]>();

/** Node.js itself holds them by weak references: a caller's `AbortSignal.timeout()` would be collected, and never ring. */
function joinSignals(...signals: readonly AbortSignal[]): AbortSignal {
  const joined = AbortSignal.any([...signals]);
  sources.set(joined, signals);
  return joined;
}

/** Replaces a method of an instance's part by one that knows the original; the class and other instances stay as they are. */
export function replace<A extends unknown[], R>(
  owner: object,
  name: string,
  make: (original: (...args: A) => R) => (...args: A) => R,
): void {
  const original: unknown = (owner as Record<string, unknown>)[name];
  if (typeof original !== 'function') return;
  const bound = (...args: A): R => Reflect.apply(original, owner, args) as R;
  Object.defineProperty(owner, name, { value: make(bound), configurable: true, writable: true, enumerable: false });
}
