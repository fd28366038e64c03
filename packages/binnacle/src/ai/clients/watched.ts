/** An SDK's stream, watched while its reader reads it: items, errors and their order pass as they are. */
import { signalInHand } from '../../endings.ts';
import type { ClientOperation } from '../operation.ts';

/** What a client knows of its provider's stream. */
export interface StreamReader<T> {
  /** Reads an item for what it tells; whatever it throws is swallowed. */
  read(item: T): void;
  /** Whether the stream has said that it is whole. */
  isWhole(): boolean;
  /** Whether the stream was told to end by its caller: SDKs end an aborted stream as if it were whole. */
  isAborted?(): boolean;
}

/** Wraps an iterator; the operation ends as it does. */
export function watchIterator<T, R, N>(
  operation: ClientOperation,
  iterator: AsyncIterator<T, R, N>,
  reader: StreamReader<T>,
): AsyncIterator<T, R, N> {
  const finish = (): void => {
    if (reader.isWhole()) operation.end();
    else if (reader.isAborted?.() === true) operation.abort();
    else operation.breakOff();
  };
  const step = async (taken: Promise<IteratorResult<T, R>>): Promise<IteratorResult<T, R>> => {
    try {
      const result = await taken;
      if (result.done === true) guard(finish);
      else {
        guard(() => operation.chunk());
        guard(() => reader.read(result.value));
      }
      return result;
    } catch (error) {
      guard(() => operation.error(error));
      throw error;
    }
  };
  const watched: AsyncIterator<T, R, N> = {
    next: (...args) => step(operation.run(() => iterator.next(...args))),
  };
  const leave = iterator.return?.bind(iterator);
  if (leave !== undefined) {
    watched.return = (value) => {
      // Its reader left: before the end, or with all that there was.
      guard(() => (reader.isWhole() ? operation.end() : operation.abort()));
      return operation.run(() => leave(value));
    };
  }
  const raise = iterator.throw?.bind(iterator);
  if (raise !== undefined) {
    watched.throw = (error) => {
      guard(() => operation.error(error));
      return operation.run(() => raise(error));
    };
  }
  return watched;
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
  return own === null || own === undefined || own === held ? held : AbortSignal.any([own, held]);
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
