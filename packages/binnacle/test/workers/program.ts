/**
 * A service in workers of a cluster and in threads, run by the tests as a process of its own. It is told what to do by
 * messages, its own as any host's: they take the same channels as Binnacle's and must not be mixed up with them.
 */
import cluster, { type Worker as Process } from 'node:cluster';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread, type MessagePort, parentPort, Worker } from 'node:worker_threads';
import { Counter, Gauge, Registry as HostRegistry } from 'prom-client';
import { gatherWorkers, type Observability, observe } from '../../src/index.ts';

export interface Command {
  readonly id: number;
  /** `primary`, or a worker of the cluster or a thread by its number. */
  readonly to: 'primary' | number;
  readonly what: string;
  readonly value?: unknown;
}

const settings = JSON.parse(process.env.WORKERS_TEST ?? '{}') as {
  /** What the primary (the main thread) runs of ours. */
  primary: 'observe' | 'gather' | 'nothing';
  series: number;
  maxSeries?: number;
  apart?: boolean;
  advanced?: boolean;
};
const ENV = { LOG_FORMAT: 'json', LOG_LEVEL: 'WARNING', ENVIRONMENT: 'production' };

interface Service {
  readonly obs: Observability;
  run(what: string, value: unknown): unknown;
}

function startService(): Service {
  const obs = observe({
    service: 'workers',
    namespace: 'app',
    env: ENV,
    registries: [HOST],
    ...(settings.apart && { workers: 'apart' as const }),
  });
  const maxSeries = settings.maxSeries ?? 100_000;
  const jobs = obs.counter({ name: 'jobs_total', help: 'Jobs.', labels: ['job'], maxSeries });
  const time = obs.histogram({ name: 'job_seconds', help: 'Time.', labels: ['job'], maxSeries, buckets: [0.1, 1, 10] });
  const level = obs.gauge({ name: 'levels', help: 'Level.', labels: ['job'] });
  const most = obs.gauge({ name: 'levels_most', help: 'Level.', workers: 'max' });
  const each = obs.gauge({ name: 'levels_each', help: 'Level.', workers: 'each' });
  const counted = { jobs: 0, count: 0, sum: 0 };
  const commands: Record<string, (value: never) => unknown> = {
    /** Counts in every series, half of them counters, some of the words awkward ones. */
    count: ({ by, prefix = '' }: { by: number; prefix?: string }) => {
      for (let i = 0; i < settings.series / 2; i += 1) {
        const job = `${prefix}job "${i}" \\ ü\n`;
        jobs.inc({ job }, by);
        time.observe({ job }, by / 8);
        counted.jobs += by;
        counted.count += 1;
        counted.sum += by / 8;
      }
      return counted;
    },
    levels: (value: number) => {
      level.set({ job: 'a' }, value);
      most.set(value);
      each.set(value);
      hostLevel.set(value);
      hostJobs.inc(value);
    },
    exemplar: (traceId: string) => {
      time.bind({ job: 'x' }).observe(0.0625, { traceId, spanId: '00f067aa0ba902b7', traceFlags: 1 });
      counted.count += 1;
      counted.sum += 0.0625;
      return counted;
    },
    exit: () => process.exit(0),
    countAndExit: (value: { by: number }) => {
      commands.count?.(value as never);
      process.exit(0);
    },
    close: () => obs.close(),
    /** Processor time of a scrape of this process alone, in milliseconds. */
    scrapeCpu: async () => {
      const start = process.cpuUsage();
      await scrapeHere(obs);
      const { user, system } = process.cpuUsage(start);
      return (user + system) / 1000;
    },
    /** Holds the loop for good. */
    hang: () => {
      for (;;);
    },
    /** Messages of a host's own, some of them much like Binnacle's. */
    chatter: () => {
      const message = { type: 'slice', gatherer: 'x', pass: 1, done: true };
      for (const odd of ['text', 7, [1], { binnacle: 'mine' }, { binnacle: 'metrics/1' }])
        process.send?.(odd as object);
      for (const type of ['slice', 'ask', 'more', 'leave', 'join', 'pull', undefined])
        process.send?.({ binnacle: 'metrics/1', reporter: 1, message: { ...message, type } });
    },
  };
  return { obs, run: (what, value) => commands[what]?.(value as never) };
}

const HOST = new HostRegistry();
const hostJobs = new Counter({ name: 'host_jobs_total', help: 'Jobs.', registers: [HOST] });
const hostLevel = new Gauge({ name: 'host_levels', help: 'Level.', registers: [HOST], aggregator: 'max' });

/** `/metrics` of this process or thread alone, or on the port that the cluster shares. */
async function serve(obs: Observability, shared: boolean): Promise<number> {
  const server = createServer((req, res) => void obs.http.probes.answer('/metrics', req, res));
  await new Promise<void>((resolve) =>
    server.listen({ port: 0, host: '127.0.0.1', exclusive: !shared }, () => resolve()),
  );
  server.unref();
  return (server.address() as AddressInfo).port;
}

const delays = monitorEventLoopDelay({ resolution: 1 });

/** The most processor time of one turn of the event loop: what other processes do to this one does not count. */
const turns = { most: 0, watched: false };

function watchTurns(last: NodeJS.CpuUsage = process.cpuUsage()): void {
  if (!turns.watched) return;
  const now = process.cpuUsage();
  turns.most = Math.max(turns.most, now.user + now.system - last.user - last.system);
  setImmediate(watchTurns, now);
}

async function scrapeHere(obs: Observability): Promise<string> {
  let text = '';
  for await (const chunk of obs.scrape().body) text += chunk;
  return text;
}

/** What the primary, or the main thread, is told to do itself. */
function startPrimary(start: () => Promise<unknown>, kill: (worker: number, signal: NodeJS.Signals) => void) {
  const service = settings.primary === 'observe' ? startService() : undefined;
  if (settings.primary === 'gather') gatherWorkers();
  const commands: Record<string, (value: never) => unknown> = {
    fork: start,
    kill: ({ worker, signal }: { worker: number; signal: NodeJS.Signals }) => kill(worker, signal),
    scrape: () => (service === undefined ? '' : scrapeHere(service.obs)),
    serve: () => service && serve(service.obs, true),
    watchLoop: () => {
      delays.reset();
      delays.enable();
      Object.assign(turns, { most: 0, watched: true });
      watchTurns();
    },
    /** The longest hold since it is watched, in milliseconds: as it passed, and of processor time alone. */
    longestHold: () => {
      turns.watched = false;
      delays.disable();
      return { wall: delays.max / 1e6, cpu: turns.most / 1000 };
    },
    disconnect: () => cluster.disconnect(),
    pid: () => process.pid,
    gatherNow: () => void gatherWorkers(),
    /** Nothing of the test's keeps the process from here on. */
    letGo: () => void setImmediate(() => process.disconnect()),
  };
  return (what: string, value: unknown): unknown =>
    what in commands ? commands[what]?.(value as never) : service?.run(what, value);
}

interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

async function reply(send: (reply: Reply) => void, { id, what, value }: Command, run: Service['run']): Promise<void> {
  try {
    send({ id, result: await run(what, value) });
  } catch (error) {
    send({ id, error: String(error) });
  }
}

const has = (message: unknown, key: string): boolean =>
  typeof message === 'object' && message !== null && key in message;

function runPrimary(): void {
  if (settings.advanced) cluster.setupPrimary({ serialization: 'advanced' });
  const workers: Process[] = [];
  const start = (): Promise<unknown> => {
    const worker = cluster.fork();
    workers.push(worker);
    // A host's own listener, which hears Binnacle's messages too.
    worker.on('message', (message) => has(message, 'id') && process.send?.(message));
    return new Promise((resolve) =>
      worker.on(
        'message',
        (message) => has(message, 'ports') && resolve({ ...message.ports, pid: worker.process.pid }),
      ),
    );
  };
  const run = startPrimary(start, (worker, signal) => workers[worker]?.process.kill(signal));
  process.on('message', (command: Command) => {
    if (command.to === 'primary') void reply((message) => process.send?.(message), command, run);
    else workers[command.to]?.send(command);
  });
}

async function runWorker(): Promise<void> {
  const service = startService();
  const threads: Worker[] = [];
  const run = (what: string, value: unknown): unknown => {
    if (what === 'thread') return startThread(threads);
    if (what === 'toThread') return askThread(threads[0], value as Command);
    return service.run(what, value);
  };
  process.on('message', (command: Command) => {
    if ('id' in command) void reply((message) => process.send?.(message), command, run);
  });
  process.send?.({ ports: { shared: await serve(service.obs, true), own: await serve(service.obs, false) } });
}

function startThread(started: Worker[]): Promise<unknown> {
  const worker = new Worker(new URL(import.meta.url), { env: process.env });
  started.push(worker);
  return new Promise((resolve) => worker.on('message', (message) => 'ports' in message && resolve(message.ports)));
}

function askThread(thread: Worker | undefined, command: Command): Promise<unknown> {
  thread?.postMessage({ ...command, id: 0 });
  return new Promise((resolve) => thread?.once('message', (message) => resolve(message.result)));
}

function runMain(): void {
  const started: Worker[] = [];
  const start = async (): Promise<unknown> => {
    const ports = await startThread(started);
    started.at(-1)?.on('message', (message) => 'id' in message && process.send?.(message));
    return ports;
  };
  const runHere = startPrimary(start, (worker) => void started[worker]?.terminate());
  const run = (what: string, value: unknown): unknown =>
    what === 'unref' ? started[value as number]?.unref() : runHere(what, value);
  process.on('message', (command: Command) => {
    if (command.to === 'primary') void reply((message) => process.send?.(message), command, run);
    else started[command.to]?.postMessage(command);
  });
}

async function runThread(port: MessagePort): Promise<void> {
  const service = startService();
  port.on('message', (command: Command) => {
    if (command.what === 'letGo') port.unref();
    void reply((message) => port.postMessage(message), command, service.run);
  });
  port.postMessage({ ports: { own: await serve(service.obs, false) } });
}

if (parentPort !== null && !isMainThread) void runThread(parentPort);
else if (cluster.isWorker) void runWorker();
else if (process.argv[2] === 'threads') runMain();
else runPrimary();
