/** What becomes of traces, by the environment. */
import type { Problem } from '../environment.ts';
import type { KeepSettings, OtelSettings } from '../settings-otel.ts';
import { checkExporter } from './exporter.ts';
import { type Finding, inWords, note, ok, problem } from './findings.ts';

export interface TraceOptions {
  readonly otel: OtelSettings;
  /** Undefined where other variables are wrong: then nothing is kept, since nothing starts. */
  readonly keep: KeepSettings | undefined;
  readonly warnings: readonly Problem[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How long the collector may take to answer, in milliseconds. */
  readonly limitMs: number;
}

export async function checkTraces({ otel, keep, warnings, env, limitMs }: TraceOptions): Promise<Finding[]> {
  const wrong = warnings.map(describeWarning);
  if (otel.disabled) {
    const what = 'true: no spans, no trace_id and span_id; traceparent is passed on';
    return [...wrong, note('OTEL_SDK_DISABLED', what, 'unset it to have traces')];
  }
  if (otel.exporter === 'none') return [...wrong, describeSilence(env, otel)];
  const exits =
    otel.exporter === 'console'
      ? [ok('exporter', 'console: spans are written to standard output')]
      : await checkExporter(otel.otlp, limitMs);
  return [...wrong, ...exits, describeSampler(otel, keep), ...describePaths(otel), ...describePropagators(otel)];
}

function describeWarning(warning: Problem): Finding {
  const what = `${inWords(warning)}; the default is used`;
  if (/_PROTOCOL$/.test(warning.variable) && /^"grpc"$/i.test(warning.value)) {
    return note(warning.variable, what, 'set http/protobuf, and the port that speaks it: 4318, not 4317');
  }
  return problem(warning.variable, what, `correct ${warning.variable}, or unset it`);
}

function describeSilence(env: TraceOptions['env'], { exporter }: OtelSettings): Finding {
  const given = env.OTEL_TRACES_EXPORTER?.trim().toLowerCase();
  if (given === exporter) {
    return note('exporter', 'OTEL_TRACES_EXPORTER=none: spans are made and not sent', 'unset it to have them sent');
  }
  return note(
    'exporter',
    'no endpoint is set: spans are made and not sent',
    'OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 (a collector, Jaeger, Tempo)',
  );
}

function describeSampler({ sampler }: OtelSettings, keep: KeepSettings | undefined): Finding {
  const { name, ratio } = sampler;
  const none = name.endsWith('always_off') || ratio === 0;
  const from = name.startsWith('parentbased_') ? ' that start here' : '';
  if (!none) return ok('sampler', `${name}: ${ratio === 1 ? 'all' : `${percent(ratio)} of`} traces${from} are sent`);
  const what = `${name}${ratio === 0 ? ' at ratio 0' : ''}: no traces${from} are sampled`;
  if (keep !== undefined && keep.reasons.length > 0) {
    return note('sampler', `${what}; only those of BINNACLE_KEEP are sent: ${keep.reasons.join(', ')}`);
  }
  return problem(
    'sampler',
    what,
    'OTEL_TRACES_SAMPLER=parentbased_traceidratio and OTEL_TRACES_SAMPLER_ARG=0.1, or BINNACLE_KEEP=error,slow,abort',
  );
}

function percent(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(3))} %`;
}

/** A path that nobody leaves out on purpose. */
const ANY_PATH = '/binnacle-doctor-any-path';

function describePaths({ excludedUrls }: OtelSettings): Finding[] {
  if (!excludedUrls.some((pattern) => pattern.test(ANY_PATH))) return [];
  return [
    problem(
      'OTEL_NODE_EXCLUDED_URLS',
      'leaves every path out: no request is traced',
      'name paths in it, each matched from its start: /metrics,/health.*',
    ),
  ];
}

function describePropagators({ propagators }: OtelSettings): Finding[] {
  if (propagators.includes('tracecontext')) return [];
  return [
    note(
      'OTEL_PROPAGATORS',
      'without tracecontext: traces neither come in nor go on',
      'set tracecontext,baggage, or unset it',
    ),
  ];
}
