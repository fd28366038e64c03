/**
 * What the SDKs of OpenAI and Anthropic have in common, both being made by Stainless: calls give an `APIPromise` that
 * parses when somebody waits for it, and streams keep their iterator in a field. Both are observed as instances.
 */
import type { ClientOperation } from '../operation.ts';
import { guard, replace, type StreamReader, signalFor, watchIterator } from './watched.ts';

/** How a call's result is read. */
export interface ResultReader {
  /** Reads a whole answer; may throw, which is swallowed. */
  whole(answer: Message): void;
  /** Starts to read a stream. */
  stream(): StreamReader<Message>;
  /** Whether an item is there only because it was asked for here: its reader never sees it. */
  hides?(item: Message): boolean;
  /** The answer's bytes will be read as they come: nothing may be in them that its caller did not ask for. */
  raw?(): void;
}

/** What is on the wire, of which nothing is known for sure. */
export type Message = Readonly<Record<string, unknown>>;

interface ApiPromise {
  responsePromise: Promise<unknown>;
  parseResponse: (client: unknown, props: unknown) => Promise<unknown>;
  _thenUnwrap(transform: unknown): unknown;
  /** Gives the response to helpers that parse it themselves, in newer SDKs of Anthropic's. */
  _responseProps?(): Promise<ResponseProps>;
  /** What waits for it to be parsed. */
  parsedPromise?: unknown;
  asResponse(): Promise<unknown>;
}

interface ResponseProps {
  readonly response: Response;
  readonly controller: AbortController;
  readonly options?: Message;
}

interface SdkStream {
  iterator: () => AsyncIterator<Message>;
  readonly controller: AbortController;
}

/** A call that has begun: what is sent for it, and how its result is read. */
export interface BegunCall {
  readonly operation: ClientOperation;
  /** Undefined: what its caller gave. */
  readonly body?: unknown;
  readonly reader: ResultReader;
}

type Create = [body: unknown, options?: Message];

/** Observes a resource's `create`. The signal of the request in hand goes with it. */
export function observeCreate(owner: object, begin: (given: Message) => BegunCall): void {
  replace<Create, unknown>(owner, 'create', (original) => (given, options) => {
    let call: BegunCall | undefined;
    guard(() => {
      const begun = begin(objectOf(given));
      call = { ...begun, body: begun.body === undefined ? given : begun.body };
    });
    if (call === undefined) return original(given, options);
    const { operation, body, reader } = call;
    const signal = signalFor(objectOf(options).signal as AbortSignal | undefined);
    // Newer SDKs take options that are yet to come: those are passed on as they are.
    const more = signal === undefined || isThenable(options) ? options : { ...options, signal };
    try {
      return watchCall(
        operation,
        operation.run(() => original(body, more)),
        reader,
      );
    } catch (error) {
      guard(() => operation.error(error));
      throw error;
    }
  });
}

/** Observes one call; gives what the SDK gave. What is no `APIPromise` is passed on, and its operation ends at once. */
function watchCall<P>(operation: ClientOperation, result: P, reader: ResultReader): P {
  if (!isApiPromise(result)) {
    guard(() => operation.end());
    return result;
  }
  const { parseResponse, asResponse } = result;
  const state: CallState = { parsed: false, handedOn: false };
  watchResponse(operation, result, state);
  result.parseResponse = async (client, props) => {
    state.parsed = true;
    forgotten.unregister(operation);
    try {
      const value = await parseResponse.call(result, client, props);
      guard(() => watchValue(operation, value, reader));
      return value;
    } catch (error) {
      guard(() => operation.error(error));
      throw error;
    }
  };
  watchUnwrapped(operation, result, reader, state);
  const { _responseProps: propsOf } = result;
  if (propsOf !== undefined) {
    result._responseProps = async () => {
      const props = await propsOf.call(result);
      guard(() => void (state.parsed || readCopy(result, props)));
      return props;
    };
  }
  result.asResponse = async () => {
    if (result.parsedPromise === undefined) guard(() => reader.raw?.());
    const response = await asResponse.call(result);
    // Who reads the bytes alone is told of no further than to their headers.
    setImmediate(() => guard(() => void (state.parsed || operation.end())));
    return response;
  };
  return result;
}

interface CallState {
  parsed: boolean;
  /** What is made of it goes on past it. */
  handedOn: boolean;
}

/** OpenAI's SDK from 7 on makes other promises of the request itself, past what is observed of this one. */
function watchUnwrapped(operation: ClientOperation, result: ApiPromise, reader: ResultReader, state: CallState): void {
  if (!Object.hasOwn(result, '_thenUnwrap')) return;
  const { _thenUnwrap: unwrap } = result;
  result._thenUnwrap = (transform) => {
    state.handedOn = true;
    // What is made of it is rejected in its place, and tells of it.
    result.responsePromise.catch(() => {});
    return watchCall(operation, unwrap.call(result, transform), reader);
  };
}

/** What a helper of the SDK's makes its own stream of, past this call: what is read here is a copy of its bytes. */
function readCopy({ parseResponse }: ApiPromise, props: ResponseProps): void {
  const { response, controller, options } = props;
  if (options?.stream !== true) return;
  const own = new AbortController();
  controller.signal.addEventListener('abort', () => own.abort(), { once: true });
  const copy = parseResponse(SILENT, { ...props, response: response.clone(), controller: own });
  // How it ends is told by who watches it; its helper has the error itself.
  void copy.then(drain).catch(() => {});
}

/** All that is asked of a client while a stream is parsed: whom to tell, which is nobody. */
const SILENT = { logLevel: 'off' };

async function drain(stream: unknown): Promise<void> {
  if (isSdkStream(stream)) for (const items = stream.iterator(); (await items.next()).done !== true; );
}

/**
 * In the promise's place, not beside it: a listener beside it would hide a rejection that nobody handles. An answer that
 * nobody waits for is ended with its memory; what holds it meanwhile is who waits.
 */
function watchResponse(operation: ClientOperation, result: ApiPromise & object, state: CallState): void {
  const waiting = new WeakRef(result);
  result.responsePromise = result.responsePromise.then(
    (props) => {
      guard(() => {
        if (state.handedOn) return;
        const waits = waiting.deref();
        if (waits === undefined) operation.abort();
        else forgotten.register(waits, operation, operation);
      });
      return props;
    },
    (error: unknown) => {
      guard(() => operation.error(error));
      throw error;
    },
  );
}

function watchValue(operation: ClientOperation, value: unknown, reader: ResultReader): void {
  if (isSdkStream(value)) {
    watchStream(operation, value, reader);
    return;
  }
  if (typeof value === 'object' && value !== null) guard(() => reader.whole(value as Message));
  operation.end();
}

/** Answers that nobody waits for and streams that nobody reads are ended with their connection, or with their memory. */
const forgotten = new FinalizationRegistry<ClientOperation>((operation) => guard(() => operation.abort()));

function watchStream(operation: ClientOperation, stream: SdkStream, reader: ResultReader): void {
  const { iterator, controller } = stream;
  const state = { begun: false };
  forgotten.register(stream, operation, state);
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
    const read = toIterable(reader.hides === undefined ? watched : without(watched, reader.hides));
    // Who reads holds what is read of it, and need not hold the stream.
    forgotten.unregister(state);
    forgotten.register(read, operation);
    return read;
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

function isThenable(value: unknown): boolean {
  return typeof (value as { readonly then?: unknown } | undefined)?.then === 'function';
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
