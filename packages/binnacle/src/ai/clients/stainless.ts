/**
 * What the SDKs of OpenAI and Anthropic have in common, both being made by Stainless: calls give an `APIPromise` that
 * parses when somebody waits for it, and streams keep their iterator in a field. Both are observed as instances.
 */
import type { ClientOperation } from '../operation.ts';
import { guard, type StreamReader, watchIterator } from './watched.ts';

/** How a call's result is read. */
export interface ResultReader {
  /** Reads a whole answer; may throw, which is swallowed. */
  whole(answer: Message): void;
  /** Starts to read a stream. */
  stream(): StreamReader<Message>;
  /** Whether an item is there only because it was asked for here: its reader never sees it. */
  hides?(item: Message): boolean;
}

/** What is on the wire, of which nothing is known for sure. */
export type Message = Readonly<Record<string, unknown>>;

interface ApiPromise {
  responsePromise: Promise<unknown>;
  parseResponse: (client: unknown, props: unknown) => Promise<unknown>;
  asResponse(): Promise<unknown>;
}

interface SdkStream {
  iterator: () => AsyncIterator<Message>;
  readonly controller: AbortController;
}

/** Observes one call; gives what the SDK gave. What is no `APIPromise` is passed on, and its operation ends at once. */
export function watchCall<P>(operation: ClientOperation, result: P, reader: ResultReader): P {
  if (!isApiPromise(result)) {
    operation.end();
    return result;
  }
  const { responsePromise, parseResponse, asResponse } = result;
  let parsed = false;
  // In its place, not beside it: a listener beside it would hide a rejection that nobody handles.
  result.responsePromise = responsePromise.catch((error: unknown) => {
    guard(() => operation.error(error));
    throw error;
  });
  result.parseResponse = async (client, props) => {
    parsed = true;
    try {
      const value = await parseResponse.call(result, client, props);
      guard(() => watchValue(operation, value, reader));
      return value;
    } catch (error) {
      guard(() => operation.error(error));
      throw error;
    }
  };
  result.asResponse = async () => {
    const response = await asResponse.call(result);
    // Who reads the bytes alone is told of no further than to their headers.
    setImmediate(() => guard(() => void (parsed || operation.end())));
    return response;
  };
  return result;
}

function watchValue(operation: ClientOperation, value: unknown, reader: ResultReader): void {
  if (isSdkStream(value)) {
    watchStream(operation, value, reader);
    return;
  }
  if (typeof value === 'object' && value !== null) guard(() => reader.whole(value as Message));
  operation.end();
}

/** Streams that nobody reads are ended with their connection, or with their memory. */
const forgotten = new FinalizationRegistry<ClientOperation>((operation) => guard(() => operation.abort()));

function watchStream(operation: ClientOperation, stream: SdkStream, reader: ResultReader): void {
  const { iterator, controller } = stream;
  const state = { begun: false };
  forgotten.register(stream, operation);
  abortUnread(operation, controller.signal, state);
  stream.iterator = () => {
    const items = iterator.call(stream);
    // The SDK itself refuses to be read twice.
    if (state.begun) return items;
    state.begun = true;
    const watched = watchIterator(operation, items, {
      ...bindReader(reader.stream()),
      isAborted: () => controller.signal.aborted,
    });
    return toIterable(reader.hides === undefined ? watched : without(watched, reader.hides));
  };
}

/** A function of its own: a listener made beside the stream would keep it in memory for as long as its connection is open. */
function abortUnread(operation: ClientOperation, signal: AbortSignal, state: { readonly begun: boolean }): void {
  signal.addEventListener('abort', () => guard(() => void (state.begun || operation.abort())), { once: true });
}

function bindReader(reader: StreamReader<Message>): StreamReader<Message> {
  return { read: (item) => reader.read(item), isWhole: () => reader.isWhole() };
}

/** The SDK's iterators are generators, which iterate over themselves. */
function toIterable(items: AsyncIterator<Message>): AsyncIterableIterator<Message> {
  return Object.assign(items, {
    [Symbol.asyncIterator](): AsyncIterableIterator<Message> {
      return this as AsyncIterableIterator<Message>;
    },
  });
}

function without(items: AsyncIterator<Message>, hides: (item: Message) => boolean): AsyncIterator<Message> {
  return {
    ...items,
    async next(...args) {
      for (;;) {
        const step = await items.next(...args);
        if (step.done === true || !hides(step.value)) return step;
      }
    },
  };
}

function isApiPromise(value: unknown): value is ApiPromise {
  return (
    value instanceof Promise &&
    (value as Partial<ApiPromise>).responsePromise instanceof Promise &&
    typeof (value as Partial<ApiPromise>).parseResponse === 'function'
  );
}

function isSdkStream(value: unknown): value is SdkStream {
  if (typeof value !== 'object' || value === null) return false;
  const { iterator, controller } = value as Partial<SdkStream>;
  return typeof iterator === 'function' && controller instanceof AbortController;
}

/** `server.address` and `server.port` of a base URL. */
export function endpointOf(baseURL: unknown): { address?: string; port?: number } {
  if (typeof baseURL !== 'string' || !URL.canParse(baseURL)) return {};
  const { hostname, port, protocol } = new URL(baseURL);
  return { address: hostname, port: Number(port) || (protocol === 'http:' ? 80 : 443) };
}

/** The part of a client at a path, or undefined. */
export function partOf(client: object, path: readonly string[]): object | undefined {
  let part: unknown = client;
  for (const name of path) part = (part as Record<string, unknown> | undefined)?.[name];
  return typeof part === 'object' && part !== null ? part : undefined;
}

export const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
export const stringOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
export const listOf = (value: unknown): readonly Message[] => (Array.isArray(value) ? (value as Message[]) : []);
export const objectOf = (value: unknown): Message =>
  typeof value === 'object' && value !== null ? (value as Message) : {};
