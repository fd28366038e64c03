/** Signals for tests: a real registry, lines and spans kept in memory, and a clock moved by hand. */
import { context, ROOT_CONTEXT, type Tracer } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { realClock } from '../src/clock.ts';
import { contextManager, currentScope, type Scope } from '../src/context.ts';
import { createFaults } from '../src/faults.ts';
import { createGate, type Gate } from '../src/http/gate.ts';
import { createRegistry, type Registry } from '../src/metrics/registry.ts';
import type { Clock, Level, Signals } from '../src/signals.ts';

/** A line as a subject told it, with the scope it was told in. */
export interface ToldLine {
  readonly level: Level;
  readonly logger: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly scope: Scope | undefined;
}

/** A clock that moves when it is told to; its timers are real. */
export interface HandClock extends Clock {
  /** Moves it on by milliseconds. */
  advance(ms: number): void;
}

export interface TestSignals extends Signals {
  readonly gate: Gate;
  readonly registry: Registry;
  readonly lines: ToldLine[];
  readonly clock: HandClock;
  readonly tracer: Tracer;
  /** Spans that have ended, in the order of their endings. */
  ended(): ReadableSpan[];
  /** The scrape in Prometheus' text format. */
  scrape(): Promise<string>;
  /** One series' value, by its name and labels as the scrape writes them; undefined when there is none. */
  value(series: string): Promise<number | undefined>;
}

/** The global context manager is set once a process; setting it again would be refused. */
context.setGlobalContextManager(contextManager);

/** A clock by hand that starts at 1,000 ms. */
export function createHandClock(): HandClock {
  let ms = 1000;
  return {
    now: () => ms,
    wall: () => 1_700_000_000_000 + ms,
    setTimer: realClock.setTimer,
    advance: (by) => {
      ms += by;
    },
  };
}

export function createSignals(options: { namespace?: string; clock?: Pick<Clock, 'now' | 'wall'> } = {}): TestSignals {
  const lines: ToldLine[] = [];
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const tracer = provider.getTracer('test');
  const registry = createRegistry({ namespace: options.namespace ?? '', faults: createFaults() });
  const clock: HandClock = { ...createHandClock(), advance: () => {}, ...(options.clock ?? createHandClock()) };
  const propagator = new W3CTraceContextPropagator();
  const gate = createGate();
  const scrape = async (): Promise<string> => {
    let text = '';
    for await (const chunk of registry.scrape('prometheus')) text += chunk;
    return text;
  };
  return {
    registry,
    lines,
    clock,
    tracer,
    meters: registry.meters,
    write: (level, logger, message, fields = {}) =>
      void lines.push({ level, logger, message, fields, scope: currentScope() }),
    spans: {
      start: (name, kind, attributes, parent) => tracer.startSpan(name, { kind, attributes }, parent),
      extract: (headers) =>
        propagator.extract(ROOT_CONTEXT, headers, {
          get: (carrier, key) => carrier[key],
          keys: (carrier) => Object.keys(carrier),
        }),
      inject: (active, set) =>
        propagator.inject(active, undefined, { set: (_carrier, name, value) => set(name, value) }),
      hosted: false,
    },
    presence: gate,
    gate,
    beforeScrape: (read) => registry.beforeScrape(read),
    ended: () => exporter.getFinishedSpans(),
    scrape,
    value: async (series) => seriesValue(await scrape(), series),
  };
}

/** One series' value in a scrape, by its name and labels as they are written there. */
export function seriesValue(text: string, series: string): number | undefined {
  const line = text.split('\n').find((row) => row.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

/** All lines of a metric in a scrape, without its comments. */
export function seriesOf(text: string, metric: string): string[] {
  return text.split('\n').filter((row) => row.startsWith(`${metric}{`) || row.startsWith(`${metric} `));
}
