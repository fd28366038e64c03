/** Server-Sent Events of one answer: written as they happen, kept alive by comments, ended by exactly one last event. */
import { PassThrough } from 'node:stream';

const LAST_EVENTS: ReadonlySet<string> = new Set(['complete', 'error', 'shutdown']);

export class EventStream {
  /** What the framework sends. */
  readonly body: PassThrough = new PassThrough();
  readonly #heartbeat: NodeJS.Timeout;
  readonly #onLast: () => void;
  #ended = false;

  /**
   * A comment is sent every `heartbeatMs`, so that proxies do not cut a silent stream; `onLast` is called when the last
   * event was sent.
   */
  constructor(heartbeatMs: number, onLast: () => void) {
    this.#onLast = onLast;
    // A reader that goes away destroys the body; whoever writes then is told by the session's signal.
    this.body.on('error', () => {});
    this.#heartbeat = setInterval(() => this.#write(': heartbeat\n\n'), heartbeatMs);
    this.body.once('close', () => clearInterval(this.#heartbeat));
  }

  /** Sends an event. After the last one (`complete`, `error`, `shutdown`) nothing more is sent. */
  send(event: string, data: object): void {
    if (this.#ended) return;
    this.#write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    if (!LAST_EVENTS.has(event)) return;
    this.#ended = true;
    clearInterval(this.#heartbeat);
    this.body.end();
    this.#onLast();
  }

  /** Waits until a slow reader has caught up; rejects when the signal aborts first. */
  async ready(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.body.writableNeedDrain || this.body.destroyed) return;
    await new Promise<void>((resolve, reject) => {
      const done = (): void => {
        this.body.off('drain', done);
        this.body.off('close', done);
        signal.removeEventListener('abort', done);
        if (signal.aborted) reject(signal.reason);
        else resolve();
      };
      this.body.once('drain', done);
      this.body.once('close', done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  #write(text: string): void {
    if (!this.body.destroyed && !this.body.writableEnded) this.body.write(text);
  }
}
