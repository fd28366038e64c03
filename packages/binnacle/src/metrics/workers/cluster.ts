/**
 * Between the processes of `node:cluster`, over the channel that they have. One listener a process, however many
 * services it observes; a host's own messages pass by untouched.
 */
import cluster, { type Worker } from 'node:cluster';
import type { Gatherer, Link } from './gatherer.ts';
import type { Reporter } from './reporter.ts';
import { type Downward, type Envelope, open, type Upward, WIRE } from './wire.ts';

const NOTHING = (): void => {};
/** A host may run several gatherers (two services in one process): each hears every worker. */
const gatherers: Set<Gatherer> = new Set();
const links: Map<number, Map<number, Link>> = new Map();

function linkOf(worker: Worker, reporter: number): Link {
  const known = links.get(worker.id) ?? new Map<number, Link>();
  links.set(worker.id, known);
  const found = known.get(reporter);
  if (found !== undefined) return found;
  const link: Link = {
    key: `worker:${worker.id}:${reporter}`,
    kind: 'worker',
    send: (message) => sendTo(worker, { binnacle: WIRE, reporter, message }),
  };
  known.set(reporter, link);
  return link;
}

function sendTo(worker: Worker, envelope: Envelope<Downward>): void {
  try {
    if (worker.isConnected()) worker.send(envelope, NOTHING);
  } catch {
    // It went away in this very moment; `disconnect` tells.
  }
}

function hear(worker: Worker, value: unknown): void {
  const envelope = open<Upward>(value);
  if (envelope === undefined) return;
  const link = linkOf(worker, envelope.reporter);
  for (const gatherer of gatherers) gatherer.hear(link, envelope.message);
}

/** Comes after the last message of the worker. */
function leave(worker: Worker): void {
  for (const { key } of links.get(worker.id)?.values() ?? []) for (const gatherer of gatherers) gatherer.gone(key);
  links.delete(worker.id);
}

/** Gathers from the workers of this primary, those that run already too. Gives the way to stop. */
export function gatherFromCluster(gatherer: Gatherer): () => void {
  if (gatherers.size === 0) cluster.on('message', hear).on('disconnect', leave);
  gatherers.add(gatherer);
  for (const worker of Object.values(cluster.workers ?? {})) {
    if (worker !== undefined) sendTo(worker, { binnacle: WIRE, reporter: 0, message: { type: 'who' } });
  }
  return () => {
    gatherers.delete(gatherer);
    if (gatherers.size === 0) cluster.off('message', hear).off('disconnect', leave);
  };
}

let reporters = 0;

/** Reports to this worker's primary. Gives the way to stop. */
export function reportToPrimary(make: (send: (message: Upward) => void) => Reporter): {
  reporter: Reporter;
  close(): void;
} {
  const number = ++reporters;
  const send = (message: Upward): void => {
    try {
      if (process.connected) process.send?.({ binnacle: WIRE, reporter: number, message }, undefined, {}, NOTHING);
    } catch {
      // The primary is gone, and nobody is left to tell.
    }
  };
  const reporter = make(send);
  const onMessage = (value: unknown): void => {
    const envelope = open<Downward>(value);
    if (envelope === undefined) return;
    if (envelope.message.type === 'who' || envelope.reporter === number) reporter.hear(envelope.message);
  };
  // Its own emitter: the process's would be kept alive by a listener, and this one hears the same.
  const onDisconnect = (): void => reporter.lost();
  cluster.worker?.on('message', onMessage).on('disconnect', onDisconnect);
  reporter.hello();
  return {
    reporter,
    close: () => void cluster.worker?.off('message', onMessage).off('disconnect', onDisconnect),
  };
}

export function isClusterWorker(): boolean {
  return cluster.isWorker;
}
