/**
 * What the SDKs of OpenAI and Anthropic have in common, both being made by Stainless: calls give an `APIPromise` that
 * parses when somebody waits for it, and streams keep their iterator in a field. Both are observed as instances.
 */
import type { ClientOperation } from '../operation.ts';
import {
  abandon,
  guard,
  replace,
  type StreamCall,
  type StreamReader,
  signalFor,
  timeoutOf,
  watchIterator,
} from './watched.ts';

/** How a call's result is read. */
export interface ResultReader {
  /** Reads a whole answer; may throw, which is swallowed. */
  whole(answer: Message): void;
  /** Starts to read a stream. */
  stream(): StreamReader<Message>;
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

/** A call that was made. */
interface SentCall extends Pick<BegunCall, 'operation' | 'reader'> {
  readonly signal: AbortSignal | undefined;
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
    // Newer SDKs take options that are yet to come: those are passed on as they are.
    const signal = isThenable(options) ? undefined : signalFor(objectOf(options).signal as AbortSignal | undefined);
    const more = signal === undefined ? options : { ...options, signal };
    const sent: SentCall = { operation, reader, signal };
    try {
      const result = operation.run(() => original(body, more));
      return watchCall(sent, result);
    } catch (error) {
      fail(sent, error);
      throw error;
    }
  });
}

/** What is thrown of a call whose time limit ran out is the SDK's word for any that was aborted. */
function fail({ operation, signal }: SentCall, error: unknown): void {
  guard(() => operation.error(timeoutOf(signal) ?? error));
}

/** Observes one call; gives what the SDK gave. What is no `APIPromise` is passed on, and its operation ends at once. */
function watchCall<P>(call: SentCall, result: P): P {
  const { operation, reader } = call;
  if (!isApiPromise(result)) {
    guard(() => operation.end());
    return result;
  }
  const { parseResponse, asResponse } = result;
  const state: CallState = { parsed: false, handedOn: false };
  watchResponse(call, result, state);
  result.parseResponse = async (client, props) => {
    state.parsed = true;
    forgotten.unregister(operation);
    try {
      const value = await parseResponse.call(result, client, props);
      guard(() => watchValue(call, value, props));
      return value;
    } catch (error) {
      fail(call, error);
      throw error;
    }
  };
  watchUnwrapped(call, result, state);
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
function watchUnwrapped(call: SentCall, result: ApiPromise, state: CallState): void {
  if (!Object.hasOwn(result, '_thenUnwrap')) return;
  const { _thenUnwrap: unwrap } = result;
  result._thenUnwrap = (transform) => {
    state.handedOn = true;
    // What is made of it is rejected in its place, and tells of it.
    result.responsePromise.catch(() => {});
    return watchCall(call, unwrap.call(result, transform));
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
function watchResponse(call: SentCall, result: ApiPromise & object, state: CallState): void {
  const { operation } = call;
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
      fail(call, error);
      throw error;
    },
  );
}

function watchValue(call: SentCall, value: unknown, props: unknown): void {
  const { operation, reader } = call;
  if (isSdkStream(value)) {
    watchStream(call, value, cameOverNetwork(objectOf(props).response));
    return;
  }
  if (typeof value === 'object' && value !== null) guard(() => reader.whole(value as Message));
  operation.end();
}

/** Answers that nobody waits for and streams that nobody reads are ended with their connection, or with their memory. */
const forgotten = new FinalizationRegistry<ClientOperation>((operation) => guard(() => operation.abort()));

/**
 * Whether an answer is one that was fetched: those have an address. One that was made (`new Response(body)`, by a `fetch` or
 * a middleware of the host's) has none, and may make its body as it is read.
 */
function cameOverNetwork(response: unknown): boolean {
  return stringOf(objectOf(response).url) !== undefined;
}

function watchStream(call: SentCall, stream: SdkStream, onlyReads: boolean): void {
  const { operation, reader } = call;
  const { iterator, controller } = stream;
  const state = { begun: false };
  forgotten.register(stream, operation, state);
  abortUnread(call, controller.signal, state);
  stream.iterator = () => {
    const items = iterator.call(stream);
    // The SDK itself refuses to be read twice.
    if (state.begun) return items;
    state.begun = true;
    const read = toIterable(watchIterator(toStreamCall(call, controller.signal, onlyReads), items, reader.stream()));
    // Who reads holds what is read of it, and need not hold the stream.
    forgotten.unregister(state);
    forgotten.register(read, operation);
    return read;
  };
}

/** `own`: the SDK's signal, which it aborts for its caller's, and for whoever asks the stream itself to end. */
function toStreamCall(call: SentCall, own: AbortSignal, onlyReads: boolean): StreamCall {
  const { operation, signal } = call;
  return {
    operation,
    signal,
    run: (work) => operation.run(work),
    onlyReads,
    fail: (error) => fail(call, error),
    isAborted: () => own.aborted,
  };
}

/** A function of its own: a listener made beside the stream would keep it in memory for as long as its connection is open. */
function abortUnread({ operation, signal }: SentCall, own: AbortSignal, state: { readonly begun: boolean }): void {
  own.addEventListener('abort', () => guard(() => void (state.begun || abandon(operation, signal))), { once: true });
}

/** The SDK's iterators are generators, which iterate over themselves. */
function toIterable(items: AsyncIterator<Message>): AsyncIterableIterator<Message> {
  return Object.assign(items, {
    [Symbol.asyncIterator](): AsyncIterableIterator<Message> {
      return this as AsyncIterableIterator<Message>;
    },
  });
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
/** Made once: what a stream leaves out it leaves out in each chunk. */
const NO_LIST: readonly Message[] = Object.freeze([]);
const NO_OBJECT: Message = Object.freeze({});

export const listOf = (value: unknown): readonly Message[] => (Array.isArray(value) ? (value as Message[]) : NO_LIST);
export const objectOf = (value: unknown): Message =>
  typeof value === 'object' && value !== null ? (value as Message) : NO_OBJECT;
