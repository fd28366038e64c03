/** `observe()`: the composition root, the one file that knows every room. */
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import { type Ai, createAi } from './ai/ai.ts';
import { checkPrices, type PriceTable, readPrices } from './ai/price.ts';
import { realClock } from './clock.ts';
import { bindToScope, type RequestInHand } from './context.ts';
import { createClients, type ObserveClient } from './drivers/client.ts';
import { sendsTraceparentByNodeHttp } from './drivers/http-client.ts';
import { observePublished, type PublishedClient } from './drivers/published.ts';
import { requestInHand } from './endings.ts';
import { describeProblem, SettingsError } from './environment.ts';
import { createFaults, type Faults } from './faults.ts';
import { createHealth, type Health } from './health/health.ts';
import { createGate } from './http/gate.ts';
import type { ObservedHttp } from './http/observed.ts';
import { createLogs, type Logs } from './logs/logger.ts';
import { toSafe } from './logs/safe.ts';
import { createBudget } from './logs/text.ts';
import type { GuestRegistry } from './metrics/guests.ts';
import type { Instruments } from './metrics/instrument.ts';
import { silentInstruments, silentMeters } from './metrics/noop.ts';
import { observeProcess } from './metrics/process.ts';
import type { Registry } from './metrics/registry.ts';
import { observeSystem } from './metrics/system.ts';
import { openMetrics } from './metrics/workers/workers.ts';
import { type ConsoleTaps, createConsoleTaps } from './observe/console.ts';
import { createSettling, openHttp, scrape } from './observe/http.ts';
import { openTraces } from './observe/traces.ts';
import { logProcessEvents } from './process-events.ts';
import { createSettings, type Settings, type SettingsOptions } from './settings.ts';
import { createShutdown, type Shutdown } from './shutdown.ts';
import type { Clock, Meters, Signals } from './signals.ts';
import { keepTickShape } from './ticks.ts';
import { runOutside } from './traces/outside.ts';
import type { Traces } from './traces/tracer.ts';
import { type Breaker, type BreakerOptions, createBreaker } from './work/breaker.ts';
import { type BreakerRecord, type BreakerState, createBreakerRecord } from './work/breaker-record.ts';
import { createCaches, type ObserveCache } from './work/cache.ts';
import { createSessions, type RunSession } from './work/session.ts';

export interface ObserveOptions extends SettingsOptions {
  /** Phases of the service's sessions; their series exist at 0 from the start. */
  readonly phases?: readonly string[];
  /** Folders the service writes to, for `system_filesystem_usage_bytes`; the working folder unless told. */
  readonly paths?: readonly string[];
  /** Registries of prom-client's, merged into the scrape. */
  readonly registries?: readonly GuestRegistry[];
  /** Budgets of label sets by metric name; 1,000 for those not named. */
  readonly maxSeries?: Readonly<Record<string, number>>;
  /**
   * In workers of `node:cluster` and in threads, whose `/metrics` tell of all of them once the primary (the main thread)
   * calls `observe()` or `gatherWorkers()` too; `apart`: each tells of itself.
   */
  readonly workers?: 'together' | 'apart';
  /** What operations of language models are told with. */
  readonly ai?: {
    /** US dollars for a million tokens, by model; `AI_PRICES_PATH` wins. */
    readonly prices?: PriceTable;
    /** A real tokenizer, for answers whose provider counts nothing: what it counts is told as an estimate. */
    countTokens?(text: string, model: string): number;
  };
  /**
   * Clients that are observed by what they publish: all unless told (`fetch`, `http`, `ioredis`, `redis`, `mysql2`). What
   * OpenTelemetry instrumentations of the host's have a span for gets no second one; leave a client out here where
   * something else makes spans for it, such as an agent whose wrapper is not known as one.
   */
  readonly clients?: readonly PublishedClient[];
  /** Whose lines go elsewhere than standard output (tests). */
  readonly destination?: { write(line: string): void };
  /** Who is asking, for `user_id`; called with the framework's request once its hooks before the handler have run. */
  user?(request: object): string | undefined;
}

/** All signals of a service. */
export interface Observability extends Instruments {
  readonly settings: Settings;
  /** A pino logger. */
  readonly log: Logger;
  /** The logger of a name, at its level in `LOG_LEVELS`. */
  logger(name: string): Logger;
  readonly session: RunSession;
  readonly cache: ObserveCache;
  readonly ai: Ai;
  /** Observes a client that publishes nothing by itself: of `pg`, `postgres`, `libsql`, `@libsql/client`. */
  readonly client: ObserveClient;
  readonly health: Health;
  readonly http: ObservedHttp;
  /** A circuit breaker, observed. */
  breaker(service: string, options?: BreakerOptions): Breaker;
  /** Tells the state of a breaker of your own. */
  breakerState(service: string, state: BreakerState): void;
  /** The request in hand, or undefined outside of one. */
  request(): RequestInHand | undefined;
  /** Binds a function or an event emitter to the request in hand. */
  bind<T>(target: T): T;
  /** Runs work that belongs to no request and is to leave no span: leases, polling, migrations. */
  quiet<T>(work: () => T): T;
  /** The scrape as text. */
  scrape(accept?: string): { contentType: string; body: AsyncIterable<string> };
  /** Stops in the contract's order on SIGTERM and SIGINT, then exits with 0; `close` closes the listener. */
  stopOnSignals(close: () => unknown): void;
  /** Writes uncaught exceptions and Node's warnings to the log, so that every line of a service is one of its log. */
  logProcessEvents(): void;
  /** Runs the same order now. */
  stop(close?: () => unknown): Promise<void>;
  /** Closes everything of Binnacle's: spans sent in at most `SHUTDOWN_FLUSH_MS`, lines written, timers gone. */
  close(): Promise<void>;
}

/**
 * Observes a service: reads and checks the settings, and gives every signal. Wrong settings throw `SettingsError`, whose
 * message is one line; nothing else here throws.
 * @example const obs = observe({ service: 'fit-check', version: '1.0.0', namespace: 'fit_check' });
 */
export function observe(options: ObserveOptions): Observability {
  return compose(options).obs;
}

/** What stands in for the world outside, where a test wants to hold it in its hands. */
export interface Outside {
  readonly clock?: Clock;
  /** Of health's rounds; see `HealthOptions`. */
  readonly jitter?: number;
  /** Takes finished spans in place of an exporter, and of a host's own SDK. */
  readonly spans?: SpanProcessor;
}

/** All that `observe` puts together. */
export interface Composed {
  readonly obs: Observability;
  /** Absent where metrics are off. */
  readonly registry: Registry | undefined;
}

/** What `observe` does, with parts of the world outside exchanged; for `testing/`. */
export function compose(options: ObserveOptions, { clock = realClock, jitter, spans }: Outside = {}): Composed {
  const settings = createSettings(options);
  keepTickShape();
  const faults = createFaults();
  const { namespace, metrics } = settings;
  const { maxSeries = {}, workers } = options;
  const { settle, connect, close: endSettling } = createSettling();
  const joined = metrics.enabled
    ? openMetrics({ namespace, faults, maxSeries, settle }, workers === 'apart')
    : undefined;
  const registry = joined?.registry;
  const meters = registry?.meters ?? silentMeters;
  const taps = createConsoleTaps(settings);
  const logs = openLogs(settings, options, faults, meters, clock, taps, settle);
  const traces = openTraces(settings, faults, meters, logs, settle, spans, taps?.spans);
  const gate = createGate();
  const signals: Signals = {
    meters,
    write: logs.write,
    closingLine: logs.closingLine,
    spans: traces.spans,
    clock,
    presence: gate,
    onlooker: taps?.onlooker,
    beforeScrape: (read) => registry?.beforeScrape(read),
  };
  const health = createHealth({
    settings: settings.health,
    service: settings.service,
    version: settings.version,
    write: logs.write,
    clock,
    jitter,
    onRound: taps && (() => taps.round()),
  });
  const endClients = observePublished(signals, options.clients);
  const closers = startMetrics(registry, settings, options, traces.instanceId);
  const http = openHttp(signals, gate, settings, options, health, registry, faults, taps, connect);
  const close = async (): Promise<void> => {
    taps?.endPages();
    await http.closeManagement();
    health.close();
    endClients();
    for (const closer of closers) closer.close();
    await traces.close(settings.shutdown.flushMs);
    joined?.close();
    endSettling();

    await logs.close();
    taps?.close();
  };
  const shutdown = openShutdown(settings, health, http, traces, logs, close, taps);
  const ai = openAi(signals, settings, options);
  faults.connect(logs.write);
  taps?.open({ settings, clock, faults, registry, gate, health, traces, logs });
  for (const problem of settings.warnings)
    logs.write('WARNING', settings.service, `${describeProblem(problem)}; the default is used`);
  if (settings.otel.exporter === 'otlp' && !settings.otel.disabled && !sendsTraceparentByNodeHttp())
    logs.write('INFO', settings.service, NO_TRACEPARENT);
  return { registry, obs: toObservability({ settings, logs, registry, signals, ai, health, http, shutdown, close }) };
}

const NO_TRACEPARENT = `Node.js ${process.versions.node} does not let node:http clients send traceparent on (22.12 does); fetch sends it`;

interface Parts {
  readonly settings: Settings;
  readonly logs: Logs;
  readonly registry: Registry | undefined;
  readonly signals: Signals;
  readonly ai: Ai;
  readonly health: Health;
  readonly http: ObservedHttp;
  readonly shutdown: Shutdown;
  readonly close: () => Promise<void>;
}

function toObservability(parts: Parts): Observability {
  const { settings, logs, registry, signals, ai, health, http, shutdown, close } = parts;
  const { counter, gauge, histogram } = registry ?? silentInstruments;
  const records = new Map<string, BreakerRecord>();
  const closers: (() => void)[] = [];
  let closed: Promise<void> | undefined;
  return {
    settings,
    log: logs.log,
    logger: logs.logger,
    counter,
    gauge,
    histogram,
    session: createSessions(signals, settings.service),
    cache: createCaches(signals),
    ai,
    client: createClients(signals),
    health,
    http,
    breaker: (service, options) => createBreaker(service, signals, options),
    breakerState(service, state) {
      const record = records.get(service) ?? createBreakerRecord(service, signals);
      records.set(service, record);
      record.moved(state);
    },
    request: requestInHand,
    bind: (target) => bindToScope(target),
    quiet: runOutside,
    scrape: (accept) => scrape(registry, accept),
    stopOnSignals: (closeListener) => shutdown.onSignals(closeListener),
    logProcessEvents: () => void closers.push(logProcessEvents(settings.service, logs.write)),
    stop: (closeListener = () => {}) => shutdown.run(closeListener),
    close: () => {
      for (const stop of closers.splice(0)) stop();
      closed ??= close();
      return closed;
    },
  };
}

function openAi(signals: Signals, settings: Settings, options: ObserveOptions): Ai {
  return createAi(signals, {
    capture: settings.ai.capture,
    olderNames: settings.ai.olderNames,
    redact: (value) => toSafe('', value, createBudget()),
    countTokens: options.ai?.countTokens,
    prices: openPrices(settings, options),
  });
}

/** Reads the table of prices that the settings name, else the one given in code. */
function openPrices({ ai }: Settings, options: ObserveOptions): PriceTable | undefined {
  const { pricesPath } = ai;
  if (pricesPath === undefined) return options.ai?.prices && checkPrices(options.ai.prices);
  try {
    return readPrices(pricesPath);
  } catch (error) {
    const allowed = `the path of a JSON file with "as_of" and "models" (${(error as Error).message})`;
    throw new SettingsError([{ variable: 'AI_PRICES_PATH', value: JSON.stringify(pricesPath), allowed }]);
  }
}

function openLogs(
  settings: Settings,
  options: ObserveOptions,
  faults: Faults,
  meters: Meters,
  clock: Clock,
  taps: ConsoleTaps | undefined,
  settle: () => void,
): Logs {
  return createLogs({
    settings: settings.log,
    service: settings.service,
    version: settings.version,
    environment: settings.environment,
    faults,
    clock,
    onDropped: (lines) => meters.logLinesDropped.bind({}).inc(lines),
    onWithoutContext: () => meters.logsWithoutContext.bind({}).inc(),
    watch: taps && ((line) => taps.line(line)),
    settle,
    ...(options.destination && { destination: options.destination }),
  });
}

/** Fills what is known from the start, and what the process tells of itself. */
function startMetrics(
  registry: Registry | undefined,
  settings: Settings,
  options: ObserveOptions,
  instanceId: string,
): { close(): void }[] {
  if (registry === undefined) return [];
  const { meters } = registry;
  meters.buildInfo
    .bind({ version: settings.version, node_version: process.versions.node, revision: settings.revision })
    .set(1);
  meters.targetInfo
    .bind({
      service_name: settings.service,
      service_version: settings.version,
      deployment_environment_name: settings.environment,
      service_instance_id: instanceId,
    })
    .set(1);
  meters.activeSessions.bind({});
  meters.requestDuration.bind({});
  for (const series of [meters.scrapeDuration, meters.logsWithoutContext, meters.logLinesDropped, meters.spanQueue])
    series.bind({});
  for (const status of ['success', 'error', 'timeout', 'cancelled']) meters.requests.bind({ status });
  for (const phase of options.phases ?? []) {
    meters.phaseDuration.bind({ phase });
    for (const status of ['success', 'error']) meters.phaseCompletions.bind({ phase, status });
  }
  for (const guest of options.registries ?? []) registry.guest(guest);
  return [
    observeProcess(registry, { legacy: settings.metrics.legacyNodejs }),
    observeSystem(registry, { paths: [...(options.paths ?? [process.cwd()])] }),
  ];
}

function openShutdown(
  settings: Settings,
  health: Health,
  http: ObservedHttp,
  traces: Traces,
  logs: Logs,
  close: () => Promise<void>,
  taps: ConsoleTaps | undefined,
): Shutdown {
  const steps = {
    unready: () => health.drain(),
    refuse: () => http.gate.close(),
    whenIdle: () => http.gate.whenEmpty(),
    abortAll: () => http.gate.abortAll(),
    destroyAll: () => http.gate.destroyAll(),
    flush: (timeoutMs: number) => traces.close(timeoutMs),
    // Pages may watch the shutdown up to here; the listener is not to wait for them.
    flushed: () => taps?.endPages(),
    close,
  };
  return createShutdown(settings, steps, logs.write);
}
