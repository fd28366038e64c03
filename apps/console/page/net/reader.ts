/** Reads the server's stream for as long as the page is open: comes back after a break, and says how it stands. */
import type { ConsoleEventName, ConsoleEvents } from '../model/wire.ts';
import { SseParser } from './sse.ts';

export type LineState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open' }
  /** `because` is what a reader is told; the next attempt is at `until`, in `Date.now()`'s time. */
  | { readonly kind: 'waiting'; readonly because: string; readonly until: number; readonly attempt: number }
  | { readonly kind: 'login' }
  | { readonly kind: 'refused'; readonly because: string };

export interface Reader {
  start(): void;
  /** Tries at once, for instance after a login. */
  retry(): void;
  stop(): void;
}

export interface ReaderOptions {
  readonly url: string;
  readonly apply: <K extends ConsoleEventName>(name: K, data: ConsoleEvents[K], size: number) => void;
  readonly tell: (state: LineState) => void;
  readonly fetch?: typeof fetch;
  readonly isHidden?: () => boolean;
  /** Multiplied with each wait, so that pages do not come back all at once; from 0.5 to 1. */
  readonly jitter?: () => number;
}

const NAMES = new Set<string>([
  'hello',
  'spans',
  'logs',
  'metrics',
  'live',
  'chunks',
  'health',
  'telemetry',
  'skipped',
] satisfies ConsoleEventName[]);
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/** The server says something every few seconds: a line that is silent for so long is dead. */
const SILENCE_MS = 60_000;
/** After so long at one piece of work the page is let draw. */
const SLICE_MS = 12;

class Stop extends Error {
  readonly state: LineState;
  constructor(state: LineState) {
    super(state.kind);
    this.state = state;
  }
}

export function createReader(options: ReaderOptions): Reader {
  const { url, apply, tell, fetch: ask = (...args) => fetch(...args), isHidden = () => document.hidden } = options;
  const { jitter = () => 0.5 + Math.random() / 2 } = options;
  let cursor = '';
  let attempt = 0;
  let current: AbortController | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function take(name: string, data: string, id: string): void {
    // What cannot be read now cannot be read later either: to ask for it again would be to do so for ever.
    cursor = id;
    if (!NAMES.has(name)) return;
    try {
      apply(name as ConsoleEventName, JSON.parse(data), data.length);
    } catch (error) {
      globalThis.reportError?.(error);
    }
  }

  async function read(signal: AbortSignal, alive: () => void): Promise<void> {
    const headers: Record<string, string> = { accept: 'text/event-stream' };
    if (cursor !== '') headers['last-event-id'] = cursor;
    const response = await ask(url, { headers, signal, cache: 'no-store', credentials: 'same-origin' });
    check(response);
    tell({ kind: 'open' });
    const parser = new SseParser(({ name, data, id }) => take(name, data, id));
    const pieces = (response.body as ReadableStream<Uint8Array>).pipeThrough(
      new TextDecoderStream() as never,
    ) as ReadableStream<string>;
    await pump(pieces, isHidden, (piece) => {
      alive();
      parser.push(piece);
      attempt = 0;
    });
    throw new Error('The service closed the connection');
  }

  async function connect(): Promise<void> {
    const controller = new AbortController();
    current = controller;
    let quiet: ReturnType<typeof setTimeout> | undefined;
    const alive = (): void => {
      clearTimeout(quiet);
      quiet = setTimeout(() => controller.abort(new Error('Nothing was heard for a minute')), SILENCE_MS);
    };
    alive();
    tell({ kind: 'connecting' });
    try {
      await read(controller.signal, alive);
    } catch (error) {
      if (current === controller) settle(error);
    } finally {
      clearTimeout(quiet);
      controller.abort();
    }
  }

  function settle(error: unknown): void {
    if (error instanceof Stop && error.state.kind !== 'waiting') {
      tell(error.state);
      return;
    }
    attempt += 1;
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1)) * jitter();
    const because = error instanceof Stop && error.state.kind === 'waiting' ? error.state.because : wordsOf(error);
    tell({ kind: 'waiting', because, until: Date.now() + wait, attempt });
    timer = setTimeout(() => void connect(), wait);
  }

  function retry(): void {
    stop();
    void connect();
  }

  function stop(): void {
    clearTimeout(timer);
    const before = current;
    current = undefined;
    before?.abort();
  }

  return { start: retry, retry, stop };
}

/** Hands on what comes, and lets the page draw between two long pieces of work. */
async function pump(
  pieces: ReadableStream<string>,
  isHidden: () => boolean,
  take: (piece: string) => void,
): Promise<void> {
  const reader = pieces.getReader();
  let since = performance.now();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    take(piece.value);
    if (performance.now() - since > SLICE_MS && !isHidden()) {
      await new Promise((resolve) => setTimeout(resolve));
      since = performance.now();
    }
  }
}

/** @throws {Stop} where it is no stream */
function check({ status, headers, body }: Response): void {
  if (status === 401) throw new Stop({ kind: 'login' });
  if (status === 403 || status === 404) throw new Stop({ kind: 'refused', because: refusal(status) });
  const waiting = (because: string): Stop => new Stop({ kind: 'waiting', because, until: 0, attempt: 0 });
  if (status === 503 || status === 429) throw waiting('The service has no room for another page of its console now');
  if (status !== 200) throw waiting(`The service answered ${status}`);
  if (body === null || !(headers.get('content-type') ?? '').startsWith('text/event-stream'))
    throw waiting('Something else than the console answered');
}

function refusal(status: number): string {
  return status === 404
    ? 'There is no console at this address. It is off, or answers only on the machine it runs on unless CONSOLE_TOKEN is set.'
    : 'The console refused this page. Open it from the address that the service says at its start.';
}

function wordsOf(error: unknown): string {
  // Browsers word it differently, and none says more than this.
  if (error instanceof TypeError) return 'The service cannot be reached';
  return error instanceof Error && error.message !== '' ? error.message : 'The connection broke';
}
