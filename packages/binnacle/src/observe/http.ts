/** The HTTP side as one `observe` has it: by its settings, with what its probes tell. */
import type { Faults } from '../faults.ts';
import type { Health } from '../health/health.ts';
import { Backlog } from '../http/backlog.ts';
import type { Gate } from '../http/gate.ts';
import { createObservedHttp, type ObservedHttp } from '../http/observed.ts';
import { createProbes, PROBE_PATHS } from '../http/probes.ts';
import { createHttpServer } from '../http/server.ts';
import { CONTENT_TYPES, negotiate } from '../metrics/exposition.ts';
import type { Registry } from '../metrics/registry.ts';
import type { ObserveOptions } from '../observe.ts';
import type { Settings } from '../settings.ts';
import type { Signals } from '../signals.ts';
import { wordless } from '../wordless.ts';
import type { ConsoleTaps } from './console.ts';

/** How many endings of requests are written down at a time, at most. */
const ENDINGS_AT_ONCE = 64;

/** Has what has ended written down, by whoever knows how, before anything else is written or read. */
export function createSettling(): {
  readonly settle: () => void;
  readonly close: () => void;
  readonly connect: (backlog: Backlog) => void;
} {
  let connected: Backlog | undefined;
  return {
    settle: () => connected?.settle(),
    close: () => connected?.close(),
    connect(backlog) {
      connected = backlog;
    },
  };
}

/** Makes it; `onBacklog` is told where what has ended waits. */
export function openHttp(
  signals: Signals,
  gate: Gate,
  settings: Settings,
  options: ObserveOptions,
  health: Health,
  registry: Registry | undefined,
  faults: Faults,
  taps: ConsoleTaps | undefined,
  onBacklog: (backlog: Backlog) => void,
): ObservedHttp {
  const broken = faults.outage('binnacle');
  const onFault = (error: unknown): void =>
    broken.down('A request could not be recorded whole', { exception: wordless(error) });
  // Who takes the lines by hand, as a test does, has each as its request ends.
  const backlog = new Backlog(signals, options.destination === undefined ? ENDINGS_AT_ONCE : 1, onFault);
  onBacklog(backlog);
  const server = createHttpServer({
    signals,
    gate,
    excludedUrls: settings.otel.excludedUrls,
    trustProxy: settings.trustProxy,
    logger: settings.service,
    probes: new Set(PROBE_PATHS),
    owns: settings.managementPort === undefined ? taps?.door.owns : undefined,
    backlog,
    onFault,
    ...(options.user && { user: (request: object) => options.user?.(request) }),
  });
  const probes = createProbes({
    live: () => health.live(),
    ready: () => health.ready(),
    report: () => health.report(),
    scrape: registry === undefined ? undefined : (accept) => scrape(registry, accept),
    metricsToken: settings.metrics.token,
    door: taps?.door,
  });
  return createObservedHttp(server, probes, settings);
}

/** The scrape as text. */
export function scrape(
  registry: Registry | undefined,
  accept: string | undefined,
): { contentType: string; body: AsyncIterable<string> } {
  const format = negotiate(accept);
  return { contentType: CONTENT_TYPES[format], body: registry?.scrape(format) ?? nothing() };
}

async function* nothing(): AsyncGenerator<string> {}
