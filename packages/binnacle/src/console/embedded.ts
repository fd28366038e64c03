/** The console of the process it runs in: takes what that process tells, and shows it. Loaded only where it is on. */
import type { Report } from '../health/report.ts';
import type { Registry } from '../metrics/registry.ts';
import type { Clock, Onlooker, Running } from '../signals.ts';
import { readLine } from './lines.ts';
import { LivePhases, tellLive } from './live.ts';
import { Sampler } from './sampler.ts';
import { type ConsoleServer, createConsole } from './server.ts';
import { createSpanReaders } from './spans.ts';
import { createStore } from './store.ts';
import { tellTelemetry } from './telemetry.ts';
import type { HealthMoment, Hello, TelemetryMoment } from './wire.ts';

export interface EmbeddedOptions {
  readonly about: Pick<Hello, 'service' | 'version' | 'environment'>;
  readonly token: string | undefined;
  readonly clock: Clock;
  /** Absent where metrics are off. */
  readonly registry: Pick<Registry, 'look' | 'families'> | undefined;
  readonly exporter: Omit<TelemetryMoment['exporter'], 'up'>;
  /** What runs now. */
  running(): readonly Running[];
  report(): Report;
  queues(): TelemetryMoment['queues'];
  onFault(error: unknown): void;
}

/** None of it throws. */
export interface Embedded extends Onlooker {
  readonly server: ConsoleServer;
  /** A span that has ended, as an OTLP `Span` message; a copy of the bytes is kept. */
  span(bytes: Uint8Array, scope: string): void;
  /** A span that was too large. */
  leftOut(): void;
  /** A line of the log, as JSON. */
  line(text: string): void;
  /** A round of health checks has ended. */
  round(): void;
  close(): void;
}

/** Breakers that are told of. */
const BREAKERS = 100;

export function embed(options: EmbeddedOptions): Embedded {
  const { about, token, clock, registry, running, report, onFault } = options;
  const store = createStore();
  const phases = new LivePhases(clock);
  const breakers = new Map<string, HealthMoment['breakers'][number]['state']>();
  const readersOf = createSpanReaders(about.service);
  const wall = (): number => clock.wall();
  const sampler = registry && new Sampler({ registry, history: store.metrics, clock, onFault });
  const server = createConsole({
    store,
    about: { ...about, mode: 'embedded' },
    token,
    clock,
    live: () => tellLive(running(), phases, clock),
    telemetry: () => tellTelemetry({ ...options, store, wall }),
  });
  const tellHealth = (): void => {
    try {
      store.addHealth(toMoment(report(), breakers, clock.wall()));
    } catch (error) {
      onFault(error);
    }
  };
  void sampler?.start();
  return {
    server,
    span: (bytes, scope) => store.spans.addBytes(bytes, readersOf(scope)),
    leftOut: () => store.spans.leaveOut(),
    line: (text) => store.logs.addText(text, readLine),
    phase: (request, name, startedAt) => phases.begin(request, name, startedAt),
    chunks: ({ traceId, spanId }, times) => store.addChunks({ traceId, spanId, times }),
    breaker(service, state) {
      const isKnown = breakers.has(service);
      if (!isKnown && breakers.size >= BREAKERS) return;
      breakers.set(service, state);
      // That there is one is told with the next round; a move is told as it comes.
      if (isKnown) tellHealth();
    },
    round: tellHealth,
    close() {
      sampler?.close();
      server.close();
    },
  };
}

function toMoment(
  { status, checks, uptime_seconds }: Report,
  breakers: ReadonlyMap<string, HealthMoment['breakers'][number]['state']>,
  time: number,
): HealthMoment {
  return {
    time,
    status,
    checks: Object.fromEntries(
      Object.entries(checks).map(([name, check]) => {
        const { status, critical, duration_ms, error } = check;
        return [name, { status, critical, duration_ms, ...(error !== undefined && { error }) }];
      }),
    ),
    breakers: [...breakers].map(([service, state]) => ({ service, state })),
    uptime: uptime_seconds * 1000,
  };
}
