/** A client of the stream: events as they come. */
import { createParser } from './sse-parser.ts';

export interface SseEvent {
  readonly event: string;
  readonly data: Record<string, unknown>;
  /** When it came, by performance.now(). */
  readonly at: number;
}

export interface Stream {
  readonly status: number;
  readonly headers: Headers;
  readonly events: readonly SseEvent[];
  /** Comments (heartbeats) so far. */
  readonly comments: readonly string[];
  /** Resolves once an event of this name came, with the first one. */
  next(event: string): Promise<SseEvent>;
  /** Resolves when the stream ends, however it does. */
  readonly ended: Promise<void>;
  abort(): void;
}

/** Asks for an analysis and reads its events. */
export async function openStream(url: string, body: object, headers: Record<string, string> = {}): Promise<Stream> {
  const controller = new AbortController();
  const response = await fetch(`${url}/api/fit-check/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal: controller.signal,
  });
  const events: SseEvent[] = [];
  const comments: string[] = [];
  let wake: (() => void)[] = [];
  let over = false;
  const parser = createParser({
    event: (event, data) =>
      events.push({ event, data: JSON.parse(data) as Record<string, unknown>, at: performance.now() }),
    comment: (text) => comments.push(text),
  });
  const ended = (async () => {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) {
        parser(decoder.decode(chunk as Uint8Array, { stream: true }));
        for (const resolve of wake.splice(0)) resolve();
      }
    } catch {
      // An aborted or torn stream ends too.
    }
    over = true;
    for (const resolve of wake.splice(0)) resolve();
    wake = [];
  })();
  return {
    status: response.status,
    headers: response.headers,
    events,
    comments,
    ended,
    abort: () => controller.abort(),
    async next(name) {
      for (;;) {
        const found = events.find(({ event }) => event === name);
        if (found !== undefined) return found;
        if (over)
          throw new Error(`the stream ended without "${name}"; it had ${events.map(({ event }) => event).join(', ')}`);
        await new Promise<void>((resolve) => wake.push(resolve));
      }
    },
  };
}

/** Asks, and reads to the end. */
export async function ask(url: string, body: object, headers?: Record<string, string>): Promise<Stream> {
  const stream = await openStream(url, body, headers);
  await stream.ended;
  return stream;
}
