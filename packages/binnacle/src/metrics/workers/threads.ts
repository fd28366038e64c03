/**
 * Between the threads of a process: a thread hands the main one a port of its own, which tells by itself when the thread
 * is gone. `postMessageToThread` is in Node.js from 20.19 and 22.5 on; without it each thread tells of itself alone.
 */
import * as threads from 'node:worker_threads';
import type { Gatherer, Link } from './gatherer.ts';
import type { Reporter } from './reporter.ts';
import { type Downward, type Envelope, open, type Upward, WIRE } from './wire.ts';

const MAIN_THREAD = 0;
/** A main thread that does not gather yet is asked again, in milliseconds: at first, and at most. */
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;

/** What a thread hands over. */
interface Handover {
  readonly type: 'port';
  readonly port: threads.MessagePort;
}

const gatherers: Set<Gatherer> = new Set();
let ports = 0;

/** Takes a thread's port over. */
function take(value: unknown): void {
  const envelope = open<Handover>(value);
  const port = envelope?.message.type === 'port' ? envelope.message.port : undefined;
  if (!(port instanceof threads.MessagePort)) return;
  const link: Link = {
    key: `thread:${++ports}`,
    kind: 'thread',
    send: (message) => port.postMessage({ binnacle: WIRE, reporter: 0, message } satisfies Envelope<Downward>),
  };
  port.on('message', (message) => {
    const told = open<Upward>(message);
    if (told !== undefined) for (const gatherer of gatherers) gatherer.hear(link, told.message);
  });
  // Comes after the last message of the thread.
  port.on('close', () => {
    for (const gatherer of gatherers) gatherer.gone(link.key);
  });
  port.unref();
}

/** Gathers from the threads of this process. Gives the way to stop. */
export function gatherFromThreads(gatherer: Gatherer): () => void {
  if (gatherers.size === 0) process.on('workerMessage', take);
  gatherers.add(gatherer);
  return () => {
    gatherers.delete(gatherer);
    if (gatherers.size === 0) process.off('workerMessage', take);
  };
}

/** Reports to the main thread. Gives the way to stop. */
export function reportToMainThread(make: (send: (message: Upward) => void) => Reporter): {
  reporter: Reporter;
  close(): void;
} {
  let port: threads.MessagePort | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const reporter = make((message) => port?.postMessage({ binnacle: WIRE, reporter: 0, message }));
  const connect = async (retryMs: number): Promise<void> => {
    const { port1, port2 } = new threads.MessageChannel();
    port1.on('message', (value) => {
      const envelope = open<Downward>(value);
      if (envelope !== undefined) reporter.hear(envelope.message);
    });
    port1.on('close', () => reporter.lost());
    port1.unref();
    port = port1;
    const handover: Envelope<Handover> = { binnacle: WIRE, reporter: 0, message: { type: 'port', port: port2 } };
    try {
      await threads.postMessageToThread(MAIN_THREAD, handover, [port2]);
      reporter.hello();
    } catch {
      port1.close();
      port = undefined;
      if (closed) return;
      timer = setTimeout(() => void connect(Math.min(2 * retryMs, LAST_RETRY_MS)), retryMs);
      timer.unref();
    }
  };
  if (typeof threads.postMessageToThread === 'function') void connect(FIRST_RETRY_MS);
  return {
    reporter,
    close() {
      closed = true;
      clearTimeout(timer);
      port?.close();
    },
  };
}

export function isThread(): boolean {
  return !threads.isMainThread;
}
