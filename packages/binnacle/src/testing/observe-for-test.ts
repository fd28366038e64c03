/** All signals of a service, kept in memory, so that users test their own telemetry. */
import { compose, type Observability, type ObserveOptions } from '../observe.ts';
import { createHandClock, type HandClock } from './hand-clock.ts';
import { valueIn } from './series.ts';
import { createSpanMemory, type TestSpan } from './span.ts';

/** A line of the log, as it would be written. */
export interface TestLine {
  /** ISO 8601, by the clock by hand. */
  readonly timestamp: string;
  readonly level: string;
  readonly logger: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** What `observe` returns, and what it was told. */
export interface TestObservability extends Observability {
  /** Moved by hand: durations, time limits of sessions, breakers and health go by it. */
  readonly clock: HandClock;
  /** The lines so far, the newest 10,000. */
  lines(): readonly TestLine[];
  /** The spans that have ended so far, the newest 10,000, in the order of their endings. */
  spans(): readonly TestSpan[];
  /** The scrape, in Prometheus' text format. */
  metrics(): Promise<string>;
  /**
   * One series' value: `await t.value('answers_requests_total{status="error"}')`. Labels in any order, all of them.
   * Undefined where there is no such series; rejects with `TypeError` for a text that is no series.
   */
  value(series: string): Promise<number | undefined>;
  /** Forgets lines and spans; counters and histograms begin at 0 again, gauges stay. */
  reset(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** How many lines are kept; past it the oldest go. */
const MOST_LINES = 10_000;

/**
 * What `observe` does, with exits in memory and a clock by hand: nothing is printed, nothing is sent, and the process's
 * environment is not read (`env` is: `env: { LOG_LEVEL: 'DEBUG' }`). Throws `SettingsError` for wrong settings.
 *
 * @example
 * const t = observeForTest({ service: 'answers' });
 * await ask(createApp(t));
 * expect(t.lines().at(-1)).toMatchObject({ message: 'Request completed', status: 'success' });
 * await t.close();
 */
export function observeForTest(options: Omit<ObserveOptions, 'destination'>): TestObservability {
  const clock = createHandClock();
  const memory = createSpanMemory(clock);
  const lines: TestLine[] = [];
  const { obs, registry } = compose(
    {
      ...options,
      env: { ENVIRONMENT: 'test', ...options.env, LOG_FORMAT: 'json', LOG_FILE: undefined },
      destination: {
        write(line) {
          lines.push(JSON.parse(line) as TestLine);
          if (lines.length > MOST_LINES) lines.shift();
        },
      },
    },
    { clock, jitter: 0, spans: memory.processor },
  );
  const metrics = async (): Promise<string> => {
    let text = '';
    for await (const chunk of obs.scrape().body) text += chunk;
    return text;
  };
  return {
    ...obs,
    clock,
    lines: () => [...lines],
    spans: memory.spans,
    metrics,
    value: async (series) => valueIn(await metrics(), series),
    reset() {
      lines.length = 0;
      memory.clear();
      registry?.reset();
    },
    [Symbol.asyncDispose]: () => obs.close(),
  };
}
