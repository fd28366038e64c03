/**
 * Writes lines to one descriptor, in batches, without holding the process up.
 *
 * Why not sonic-boom, which pino would use: with `sync: false` its writes block in Node's thread pool, and a process
 * cannot leave while one of them hangs in a pipe that nobody reads (`process.exit()` joins the pool's threads). At exit
 * it writes the rest from the main thread beside a write that is still under way, whose outcome nobody can learn any
 * more, so that lines may be torn or change places. And its `flushSync` retries a full pipe for ever.
 *
 * Here a pipe, socket or terminal is written `direct`: at once from the event loop, on a descriptor that does not block
 * and says `EAGAIN` instead, so that it is known to the byte what was taken. A regular file of ours is written `pooled`
 * in the thread pool, since a slow disk does block; how far a write under way has come is told by the file's size.
 */
import { close, fstatSync, write, writeSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { type Batch, LineQueue, remainsOf } from './queue.ts';

export interface WriterOptions {
  readonly fd: number;
  readonly mode: 'direct' | 'pooled';
  /** Lines that were lost, by number. */
  onDropped(lines: number): void;
  /** Writing fails, by its code (`ENOSPC`); `stalled` when lines no longer fit into the queue. Told once an outage. */
  onDown(code: string): void;
  /** Writing works again. */
  onUp(): void;
}

/** A line is written at most this much later, in milliseconds, as long as the event loop turns. */
const FLUSH_AFTER_MS = 20;
/** Lines of this many UTF-16 code units are written without waiting. */
const FLUSH_SIZE = 16 * 1024;
/** How often a descriptor that takes nothing is tried again, in milliseconds. */
const RETRY_MS = 10;
/** How often a descriptor that fails is tried again, in milliseconds. */
const FAILED_RETRY_MS = 1000;
/** How long `flush` waits for a reader, in milliseconds. */
const FLUSH_TIMEOUT_MS = 1000;
/** How long leaving waits without a byte being taken, in milliseconds; altogether; and at a time. */
const STALL_MS = 900;
const LEAVE_MS = 5000;
const PAUSE_MS = 3;

/** Codes that say "not now". */
const BUSY: ReadonlySet<string> = new Set(['EAGAIN', 'EBUSY', 'EINTR', 'EWOULDBLOCK']);

interface Waiter {
  readonly target: number;
  done(): void;
}

export class Writer {
  readonly #options: WriterOptions;
  readonly #queue: LineQueue;
  #fd: number;
  /** Waits for the batch in hand to end. */
  #nextFd: number | undefined;
  #batch: Batch | undefined;
  /** Size of the file before the write under way; undefined while there is none. */
  #sizeBefore: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #waitsSince: number | undefined;
  /** `failed` waits before it tries again. */
  #state: 'well' | 'busy' | 'failed' = 'well';
  #down = false;
  /** Whether each line goes out at once: while the process leaves, and once closed. */
  #immediate = false;
  /** Milliseconds that may yet be spent waiting, once lines go out at once. */
  #patience = LEAVE_MS;
  #closed = false;
  #accepted = 0;
  #settled = 0;
  #waiters: Waiter[] = [];

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#fd = options.fd;
    this.#queue = new LineQueue(options.mode === 'direct');
  }

  /** Lines that wait to be written, and their size in UTF-16 code units. */
  get waiting(): { readonly lines: number; readonly size: number } {
    return { lines: this.#queue.length, size: this.#queue.size };
  }

  /** Takes a line, its newline included. Never throws, never waits. */
  write(line: string): void {
    const gone = this.#closed && this.#fd > 2;
    if (gone || !this.#queue.push(line)) {
      this.#options.onDropped(1);
      if (!gone) this.#goDown('stalled');
      return;
    }
    this.#accepted += 1;
    if (this.#immediate) this.#writeNow();
    else this.#writeSoon();
  }

  #writeSoon(): void {
    if (this.#sizeBefore !== undefined) return;
    if (this.#state !== 'well') {
      if (this.#timer === undefined) this.#tryLater();
      return;
    }
    const now = performance.now();
    this.#waitsSince ??= now;
    // By the clock too: a process that computes without pause lets no timer fire.
    if (this.#queue.size >= FLUSH_SIZE || now - this.#waitsSince >= FLUSH_AFTER_MS) this.#pump();
    else if (this.#timer === undefined) this.#pumpIn(FLUSH_AFTER_MS);
  }

  /** Resolves once all that was taken is written or lost, within a second if nobody reads. Never rejects. */
  flush(): Promise<void> {
    this.#pump();
    const underWay = this.#sizeBefore !== undefined;
    if (this.#settled >= this.#accepted || (this.#state === 'failed' && !underWay)) return Promise.resolve();
    return new Promise((resolve) => {
      // Not unref'd: whoever waits for this wants the process to live that long.
      const timeout = setTimeout(() => waiter.done(), FLUSH_TIMEOUT_MS);
      const waiter: Waiter = {
        target: this.#accepted,
        done: () => {
          clearTimeout(timeout);
          this.#waiters = this.#waiters.filter((other) => other !== waiter);
          resolve();
        },
      };
      this.#waiters.push(waiter);
    });
  }

  /** Goes on with another descriptor from the next batch on, and closes the one before. */
  reopen(fd: number): void {
    if (this.#nextFd !== undefined) close(this.#nextFd, () => {});
    this.#nextFd = fd;
    if (this.#sizeBefore === undefined && this.#batch === undefined) this.#swap();
    if (this.#state === 'failed') this.#pump();
  }

  /** Writes what waits, now: the process leaves. Ends within about a second if nobody reads; never throws. */
  leave(): void {
    this.#immediate = true;
    this.#stopTimer();
    if (this.#sizeBefore === undefined || this.#awaitWriteUnderWay()) this.#writeNow();
    else this.#loseAll();
  }

  /** Writes what waits, waiting for a reader that is slow but alive, and once for one that is not. */
  #writeNow(): void {
    let lastProgress = performance.now();
    for (;;) {
      const before = this.#progress();
      this.#pumpDirect();
      if (this.#isEmpty() || this.#state === 'failed' || this.#patience <= 0) break;
      const now = performance.now();
      if (this.#progress() !== before) lastProgress = now;
      if (now - lastProgress > STALL_MS) this.#patience = 0;
      pause(PAUSE_MS);
      this.#patience -= PAUSE_MS;
    }
    this.#loseAll();
  }

  /** Flushes and lets go. Later lines go out at once where that is possible. */
  async close(): Promise<void> {
    await this.flush();
    if (this.#closed) return;
    this.#closed = true;
    this.#immediate = true;
    this.#stopTimer();
    this.#loseAll();
    // Whoever logs after closing is on the way out, or should not wait long.
    this.#patience = STALL_MS;
    // A write under way closes when it is done: the number may be another file's by then.
    if (this.#sizeBefore === undefined) this.#closeFd();
  }

  #isEmpty(): boolean {
    return this.#batch === undefined && this.#queue.length === 0;
  }

  #progress(): number {
    return this.#settled * 1e9 + (this.#batch?.offset ?? 0);
  }

  #tryLater(): void {
    this.#pumpIn(this.#state === 'busy' ? RETRY_MS : FAILED_RETRY_MS);
  }

  #pumpIn(ms: number): void {
    this.#stopTimer();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#pump();
    }, ms);
    this.#timer.unref();
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #pump(): void {
    if (this.#sizeBefore !== undefined || this.#immediate) return;
    this.#stopTimer();
    if (this.#options.mode === 'pooled') this.#pumpPooled();
    else this.#pumpDirect();
    if (this.#state !== 'well' && this.#sizeBefore === undefined && !this.#isEmpty()) this.#tryLater();
  }

  #pumpDirect(): void {
    for (;;) {
      const batch = this.#nextBatch();
      if (batch === undefined) return;
      try {
        batch.offset += writeSync(this.#fd, batch.bytes, batch.offset);
      } catch (error) {
        this.#stumble(error);
        return;
      }
      this.#advance(batch);
    }
  }

  #pumpPooled(): void {
    const batch = this.#nextBatch();
    if (batch === undefined) return;
    try {
      this.#sizeBefore = fstatSync(this.#fd).size;
      write(this.#fd, batch.bytes, batch.offset, batch.bytes.length - batch.offset, null, (error, count) =>
        this.#pooledDone(batch, error, count),
      );
    } catch (error) {
      this.#sizeBefore = undefined;
      this.#stumble(error);
    }
  }

  #pooledDone(batch: Batch, error: Error | null, count: number): void {
    if (this.#closed) this.#closeFd();
    // Closed, or leaving: what waited has been seen to.
    if (this.#immediate) return;
    if (error !== null) {
      this.#stumble(error);
    } else {
      batch.offset += count;
      this.#advance(batch);
    }
    this.#sizeBefore = undefined;
    if (this.#state === 'well') this.#pump();
    else if (!this.#isEmpty()) this.#tryLater();
  }

  #nextBatch(): Batch | undefined {
    if (this.#batch === undefined || this.#batch.torn === true) this.#swap();
    if (this.#batch === undefined) {
      this.#waitsSince = undefined;
      this.#batch = this.#queue.take();
    }
    return this.#batch;
  }

  #advance(batch: Batch): void {
    this.#state = 'well';
    if (batch.offset < batch.bytes.length) return;
    this.#batch = undefined;
    this.#settle(batch.lines.length);
    if (this.#down) {
      this.#down = false;
      this.#options.onUp();
    }
  }

  #settle(lines: number): void {
    this.#settled += lines;
    for (const waiter of this.#waiters) if (this.#settled >= waiter.target) waiter.done();
  }

  #stumble(error: unknown): void {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    if (BUSY.has(code)) {
      this.#state = 'busy';
      return;
    }
    this.#state = 'failed';
    const batch = this.#batch;
    if (batch !== undefined) {
      const { written, lost, torn } = remainsOf(batch);
      this.#batch = torn;
      this.#settle(written + lost);
      if (lost > 0) this.#options.onDropped(lost);
    }
    this.#goDown(code);
    // Nobody is to wait for a disk that may stay full.
    for (const waiter of this.#waiters) waiter.done();
  }

  #goDown(code: string): void {
    if (this.#down) return;
    this.#down = true;
    this.#options.onDown(code);
  }

  #loseAll(): void {
    const lost = this.#queue.clear() + (this.#batch?.lines.length ?? 0);
    this.#batch = undefined;
    if (lost === 0) return;
    this.#settle(lost);
    this.#options.onDropped(lost);
  }

  /** Waits for the thread pool, by the file's size. False when that write does not come to its end. */
  #awaitWriteUnderWay(): boolean {
    const batch = this.#batch;
    const before = this.#sizeBefore;
    if (batch === undefined || before === undefined) return true;
    const full = before + batch.bytes.length - batch.offset;
    const end = performance.now() + STALL_MS;
    try {
      while (fstatSync(this.#fd).size < full) {
        if (performance.now() > end) return false;
        pause(1);
      }
    } catch {
      return false;
    }
    batch.offset = batch.bytes.length;
    this.#sizeBefore = undefined;
    this.#advance(batch);
    return true;
  }

  #swap(): void {
    if (this.#nextFd === undefined) return;
    close(this.#fd, () => {});
    this.#fd = this.#nextFd;
    this.#nextFd = undefined;
    if (this.#batch === undefined) return;
    // The rest of a torn line belongs to the file before.
    this.#batch = undefined;
    this.#settle(1);
    this.#options.onDropped(1);
  }

  #closeFd(): void {
    if (this.#nextFd !== undefined) close(this.#nextFd, () => {});
    if (this.#fd > 2) close(this.#fd, () => {});
  }
}

/** Holds the thread for some milliseconds; only while the process leaves. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
