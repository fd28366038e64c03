/** Spans to an OTLP endpoint over HTTP, by the official exporters. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { OtlpSettings } from '../settings-otel.ts';
import { createExportAgent, SDK_TIMEOUT_MS } from './agent.ts';
import { describeCause, ExportError } from './cause.ts';
import { Deadline } from './deadline.ts';
import { type ExportClock, realClock } from './timer.ts';

/** Whether to try again, by OTLP: https://opentelemetry.io/docs/specs/otlp/#failures-1 */
const RETRYABLE_STATUS: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const RETRYABLE_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENOTFOUND',
  'ENETUNREACH',
  'EHOSTUNREACH',
]);
/** Pauses between attempts, in milliseconds: from the first, by the factor, to the most, each a fifth more or less. */
const BACKOFF = { first: 1000, factor: 1.5, most: 5000, jitter: 0.2 } as const;

export interface OtlpExporterOptions {
  readonly settings: OtlpSettings;
  readonly clock?: ExportClock;
  /** 0 to 1, for the jitter of retries. */
  readonly random?: () => number;
}

/**
 * Sends spans by OTLP (https://opentelemetry.io/docs/specs/otlp/#otlphttp), protobuf or JSON. One export at a time; it
 * ends within `settings.timeoutMs`, retries included, and its error is an `ExportError`. `shutdown` cuts the one under
 * way. The official exporter is loaded when this is called, and only then: it costs the start about 60 ms.
 */
export function createOtlpExporter(options: OtlpExporterOptions): SpanExporter {
  const { settings, clock = realClock, random = Math.random } = options;
  const agent = createExportAgent(new URL(settings.url).protocol);
  const answers = watchAnswers(agent);
  const official = loadOfficial(settings, agent);
  // Told by each export; on its own it is no unhandled rejection.
  official.catch(() => {});
  let current: Deadline | undefined;

  const attempt = async (spans: ReadableSpan[]): Promise<Refusal | undefined> => {
    answers.forget();
    const exporter = await official;
    const result = await new Promise<ExportResult>((resolve) => exporter.export(spans, resolve));
    return result.code === ExportResultCode.SUCCESS ? undefined : toRefusal(result.error, answers.last());
  };
  const send = async (spans: ReadableSpan[], deadline: Deadline): Promise<void> => {
    let backoff: number = BACKOFF.first;
    for (;;) {
      deadline.cause = 'timeout';
      const refusal = await attempt(spans);
      if (refusal === undefined) return;
      deadline.cause = refusal.cause;
      const pauseMs = refusal.retryAfterMs ?? backoff * (1 + BACKOFF.jitter * (2 * random() - 1));
      backoff = Math.min(backoff * BACKOFF.factor, BACKOFF.most);
      if (!refusal.retryable || !(await deadline.pause(pauseMs))) throw new ExportError(refusal.cause);
    }
  };
  const exportWithin = async (spans: ReadableSpan[], deadline: Deadline): Promise<void> => {
    try {
      await Promise.race([send(spans, deadline), deadline.expired]);
    } finally {
      deadline.end();
    }
  };

  return {
    export(spans, done) {
      const deadline = new Deadline(settings.timeoutMs, clock);
      current = deadline;
      // What is still open after the deadline will not be answered: the next export starts with a new connection.
      deadline.expired.catch(() => agent.destroy());
      exportWithin(spans, deadline).then(
        () => done({ code: ExportResultCode.SUCCESS }),
        (error) => done({ code: ExportResultCode.FAILED, error: new ExportError(describeCause(error)) }),
      );
    },
    async shutdown() {
      current?.cutShort();
      agent.destroy();
      answers.close();
    },
  };
}

interface Refusal {
  readonly cause: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
}

interface Answer {
  readonly status: number;
  readonly retryAfterMs: number | undefined;
}

function toRefusal(error: unknown, answer: Answer | undefined): Refusal {
  if (answer !== undefined && answer.status >= 300) {
    const { status, retryAfterMs } = answer;
    return { cause: `HTTP ${status}`, retryable: RETRYABLE_STATUS.has(status), retryAfterMs };
  }
  const cause = describeCause(error);
  return { cause, retryable: RETRYABLE_CODES.has(cause), retryAfterMs: undefined };
}

/** Remembers how requests of an agent were answered: the official exporter does not tell the status it gave up on. */
function watchAnswers(agent: Agent): { last(): Answer | undefined; forget(): void; close(): void } {
  const channel = 'http.client.response.finish';
  let last: Answer | undefined;
  const listener = (message: unknown): void => {
    const { request, response } = message as {
      request: ClientRequest & { agent?: unknown };
      response: IncomingMessage;
    };
    if (request.agent !== agent) return;
    last = { status: response.statusCode ?? 0, retryAfterMs: parseRetryAfter(response.headers['retry-after']) };
  };
  subscribe(channel, listener);
  return {
    last: () => last,
    forget() {
      last = undefined;
    },
    close: () => void unsubscribe(channel, listener),
  };
}

/** Milliseconds of a `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3). */
export function parseRetryAfter(header: string | undefined, now: number = Date.now()): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

async function loadOfficial(settings: OtlpSettings, agent: Agent): Promise<SpanExporter> {
  const { OTLPTraceExporter } =
    settings.protocol === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto');
  const config: NonNullable<ConstructorParameters<typeof OTLPTraceExporter>[0]> = {
    url: settings.url,
    headers: { ...settings.headers },
    timeoutMillis: SDK_TIMEOUT_MS,
    // The enum's values are these words; its declaration is in a package that is not a dependency of this one.
    compression: settings.compression as NonNullable<(typeof config)['compression']>,
    httpAgentOptions: () => agent,
  };
  return withoutOtlpEnvironment(() => new OTLPTraceExporter(config));
}

/**
 * The official exporter merges `OTEL_EXPORTER_OTLP_*` of the process beneath what it is given, headers too, and
 * reports what it cannot read. The settings have read them already, perhaps from another environment.
 */
function withoutOtlpEnvironment<T>(work: () => T): T {
  const hidden = Object.entries(process.env).filter(([name]) => name.startsWith('OTEL_EXPORTER_OTLP_'));
  for (const [name] of hidden) delete process.env[name];
  try {
    return work();
  } finally {
    for (const [name, value] of hidden) process.env[name] = value;
  }
}
