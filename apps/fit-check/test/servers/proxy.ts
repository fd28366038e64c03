/** A TCP proxy on loopback that breaks what runs through it, in the ways that networks and servers do. */
import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

export type Fault =
  /** Everything passes. */
  | { readonly kind: 'pass' }
  /** Nothing listens; connections that there are, are reset. */
  | { readonly kind: 'refused' }
  /** Connections are accepted, nothing passes either way. */
  | { readonly kind: 'hang' }
  /** Connections are reset: now, and new ones at once; or each after so many bytes of the answer. */
  | { readonly kind: 'reset'; readonly afterBytes?: number }
  /** The answer comes late by so many milliseconds a piece, or at so many bytes a second, or both. */
  | { readonly kind: 'slow'; readonly delayMs?: number; readonly bytesPerSecond?: number }
  /** One way is silent: nothing reaches the server, or nothing comes back. */
  | { readonly kind: 'half-open'; readonly silent: Way };

export type Way = 'to-server' | 'to-client';

export interface Proxy {
  readonly port: number;
  /** Connections that are open now. */
  readonly connections: number;
  /** Changes how it behaves, for connections that there are too; resolves once it does. */
  set(fault: Fault): Promise<void>;
  close(): Promise<void>;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  /** Bytes of the answer since the fault was set. */
  answered: number;
}

/** What each way of each connection reads before every piece. */
interface Plan {
  fault: Fault;
  /** Resolves when the fault changes. */
  changed: Promise<void>;
}

/** Hears what one connection carries, piece by piece, as it comes from its sender. */
export type Observer = (way: Way, chunk: Buffer) => void;

/** Stands before a port of this machine; `observe` makes the observer of each new connection. */
export async function startProxy(targetPort: number, observe?: () => Observer): Promise<Proxy> {
  const links = new Set<Link>();
  let change = (): void => {};
  const plan: Plan = { fault: { kind: 'pass' }, changed: new Promise((resolve) => (change = resolve)) };
  const listener = createServer({ allowHalfOpen: true }, (client) =>
    join(client, targetPort, { plan, links, onData: observe?.() }),
  );
  const listen = async (port: number): Promise<void> => {
    listener.listen(port, '127.0.0.1');
    await once(listener, 'listening');
  };
  const unlisten = (): Promise<void> =>
    new Promise((resolve) => {
      if (!listener.listening) return resolve();
      listener.close(() => resolve());
      for (const link of links) reset(link);
    });
  await listen(0);
  const { port } = listener.address() as AddressInfo;
  return {
    port,
    get connections() {
      return links.size;
    },
    async set(fault) {
      plan.fault = fault;
      for (const link of links) link.answered = 0;
      const told = change;
      plan.changed = new Promise((resolve) => (change = resolve));
      told();
      if (fault.kind === 'refused') return unlisten();
      if (fault.kind === 'reset' && fault.afterBytes === undefined) for (const link of links) reset(link);
      if (!listener.listening) await listen(port);
    },
    close: unlisten,
  };
}

interface Joining {
  readonly plan: Plan;
  readonly links: Set<Link>;
  readonly onData: Observer | undefined;
}

function join(client: Socket, targetPort: number, { plan, links, onData }: Joining): void {
  if (plan.fault.kind === 'reset' && plan.fault.afterBytes === undefined) {
    client.on('error', () => {});
    client.resetAndDestroy();
    return;
  }
  const server = dial({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
  const link: Link = { client, server, answered: 0 };
  links.add(link);
  for (const [socket, other] of [
    [client, server],
    [server, client],
  ] as const) {
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.once('close', () => {
      links.delete(link);
      other.destroy();
    });
  }
  // A connection that is gone ends what was on its way over it.
  void carry(link, 'to-server', plan, onData).catch(() => {});
  void carry(link, 'to-client', plan, onData).catch(() => {});
}

async function carry(link: Link, way: Way, plan: Plan, onData?: Observer): Promise<void> {
  const [from, to] = way === 'to-server' ? [link.client, link.server] : [link.server, link.client];
  for await (const chunk of from.iterator({ destroyOnReturn: false })) {
    let rest = chunk as Buffer;
    onData?.(way, rest);
    while (rest.length > 0) {
      const piece = rest.subarray(0, await nextSize(link, way, rest.length, plan));
      rest = rest.subarray(piece.length);
      if (!to.write(piece)) await once(to, 'drain');
      if (way === 'to-client') await answered(link, piece.length, plan.fault);
    }
  }
  await allowed(way, plan);
  to.end();
}

/** Waits while nothing may pass this way. */
async function allowed(way: Way, plan: Plan): Promise<void> {
  while (plan.fault.kind === 'hang' || (plan.fault.kind === 'half-open' && plan.fault.silent === way)) {
    await plan.changed;
  }
}

const SLICES_A_SECOND = 20;

/** How many of the bytes at hand may pass now, after the wait that they cost; a fault that changes ends the wait. */
async function nextSize(link: Link, way: Way, size: number, plan: Plan): Promise<number> {
  for (;;) {
    await allowed(way, plan);
    const { fault, changed } = plan;
    if (way === 'to-server') return size;
    if (fault.kind === 'reset') return Math.min(size, Math.max(1, (fault.afterBytes ?? 0) - link.answered));
    if (fault.kind !== 'slow') return size;
    const { delayMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY } = fault;
    const slice = Math.min(size, Math.max(1, Math.ceil(bytesPerSecond / SLICES_A_SECOND)));
    const over = new AbortController();
    const pause = wait(delayMs + (slice / bytesPerSecond) * 1000, undefined, { signal: over.signal }).catch(() => {});
    await Promise.race([pause, changed]);
    over.abort();
    if (plan.fault === fault) return slice;
  }
}

/** A reader that finds data and a reset at once may take it for an orderly end: the reset comes a moment later. */
const RESET_AFTER_MS = 5;

async function answered(link: Link, bytes: number, fault: Fault): Promise<void> {
  link.answered += bytes;
  if (fault.kind !== 'reset' || link.answered < (fault.afterBytes ?? 0)) return;
  await wait(RESET_AFTER_MS);
  reset(link);
}

function reset({ client, server }: Link): void {
  client.resetAndDestroy();
  server.destroy();
}
