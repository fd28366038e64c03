/**
 * The `OTEL_*` variables, by the OpenTelemetry specification
 * (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/): a wrong value warns and the
 * default is used; an empty one means unset.
 */
import { createReader, type Problem, type Reader } from './environment.ts';

export type SamplerName =
  | 'always_on'
  | 'always_off'
  | 'traceidratio'
  | 'parentbased_always_on'
  | 'parentbased_always_off'
  | 'parentbased_traceidratio';
export type Propagator = 'tracecontext' | 'baggage';
export type OtlpProtocol = 'http/protobuf' | 'http/json';

export interface OtlpSettings {
  /** The whole URL that spans are posted to. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly protocol: OtlpProtocol;
  readonly compression: 'gzip' | 'none';
}

export interface BatchSettings {
  readonly scheduledDelayMs: number;
  readonly exportTimeoutMs: number;
  readonly maxQueueSize: number;
  readonly maxExportBatchSize: number;
}

export type KeepReason = 'error' | 'slow' | 'abort';

/** Which requests are kept although they were not sampled. */
export interface KeepSettings {
  /** Empty: none. */
  readonly reasons: readonly KeepReason[];
  /** From how long on a request is slow, in milliseconds. */
  readonly slowMs: number;
}

export interface OtelSettings {
  readonly disabled: boolean;
  readonly serviceName: string | undefined;
  readonly resource: Readonly<Record<string, string>>;
  readonly propagators: readonly Propagator[];
  readonly exporter: 'otlp' | 'console' | 'none';
  readonly otlp: OtlpSettings;
  readonly sampler: { readonly name: SamplerName; readonly ratio: number };
  readonly batch: BatchSettings;
  /** Paths that are not traced; their closing line is DEBUG. */
  readonly excludedUrls: readonly RegExp[];
}

const SAMPLERS: readonly SamplerName[] = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
];
const DEFAULT_EXCLUDED = '/metrics,/health.*';

/** Reads them; what is wrong is added to `warnings`. */
export function readOtelSettings(env: Readonly<Record<string, string | undefined>>, warnings: Problem[]): OtelSettings {
  const from = createReader(env);
  const resource = from.parse<Record<string, string>, Record<string, string>>(
    'OTEL_RESOURCE_ATTRIBUTES',
    {},
    parsePairs,
    'key=value pairs, comma-separated, percent-encoded',
  );
  const settings: OtelSettings = {
    disabled: from.parse('OTEL_SDK_DISABLED', false, parseOtelBoolean, 'true or false'),
    serviceName: from.text('OTEL_SERVICE_NAME') ?? resource['service.name'],
    resource,
    propagators: readPropagators(from),
    exporter: readExporter(from),
    otlp: readOtlp(from),
    sampler: readSampler(from, warnings),
    batch: readBatch(from),
    excludedUrls: from.parse(
      'OTEL_NODE_EXCLUDED_URLS',
      parsePatterns(DEFAULT_EXCLUDED) ?? [],
      parsePatterns,
      'comma-separated regular expressions',
    ),
  };
  warnings.push(...from.problems);
  return settings;
}

function readPropagators(from: Reader): readonly Propagator[] {
  const parse = (text: string): Propagator[] | undefined => {
    const words = text.split(',').map((word) => word.trim());
    if (words.includes('none')) return [];
    const known = words.filter((word): word is Propagator => word === 'tracecontext' || word === 'baggage');
    return known.length === words.length ? [...new Set(known)] : undefined;
  };
  return from.parse('OTEL_PROPAGATORS', ['tracecontext', 'baggage'], parse, 'tracecontext, baggage, none');
}

function readExporter(from: Reader): OtelSettings['exporter'] {
  // A wrong endpoint warns where it is read, and sends nothing.
  const given = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'].some((name) =>
    isHttpUrl(from.text(name)),
  );
  const implied = given ? 'otlp' : 'none';
  return from.oneOf('OTEL_TRACES_EXPORTER', implied, ['otlp', 'console', 'none']);
}

function isHttpUrl(text: string | undefined): boolean {
  return text !== undefined && URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

function readOtlp(from: Reader): OtlpSettings {
  const base = from.url('OTEL_EXPORTER_OTLP_ENDPOINT', 'http://localhost:4318');
  const own = from.url('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', undefined);
  const ranged = { min: 1, max: 3_600_000, unit: 'milliseconds' };
  return {
    url: own ?? `${base.replace(/\/+$/, '')}/v1/traces`,
    headers: {
      ...from.parse('OTEL_EXPORTER_OTLP_HEADERS', {}, parsePairs, 'key=value pairs, comma-separated, percent-encoded'),
      ...from.parse(
        'OTEL_EXPORTER_OTLP_TRACES_HEADERS',
        {},
        parsePairs,
        'key=value pairs, comma-separated, percent-encoded',
      ),
    },
    timeoutMs: from.integer(
      'OTEL_EXPORTER_OTLP_TRACES_TIMEOUT',
      from.integer('OTEL_EXPORTER_OTLP_TIMEOUT', 10_000, ranged),
      ranged,
    ),
    protocol: readEither(
      from,
      'PROTOCOL',
      'http/protobuf',
      parseProtocol,
      'http/protobuf, http/json (grpc is sent as http/protobuf)',
    ),
    compression: readEither(from, 'COMPRESSION', 'gzip', parseCompression, 'gzip, none'),
  };
}

/** The signal's own variable wins over the general one. */
function readEither<T>(
  from: Reader,
  name: string,
  fallback: T,
  parse: (text: string) => T | undefined,
  allowed: string,
): T {
  const general = from.parse(`OTEL_EXPORTER_OTLP_${name}`, fallback, parse, allowed);
  return from.parse(`OTEL_EXPORTER_OTLP_TRACES_${name}`, general, parse, allowed);
}

/** `grpc` is not spoken: it warns, and the default http/protobuf is used. */
function parseProtocol(text: string): OtlpProtocol | undefined {
  return text === 'http/protobuf' || text === 'http/json' ? text : undefined;
}

function parseCompression(text: string): 'gzip' | 'none' | undefined {
  return text === 'gzip' || text === 'none' ? text : undefined;
}

function readSampler(from: Reader, warnings: Problem[]): OtelSettings['sampler'] {
  const name = from.oneOf('OTEL_TRACES_SAMPLER', undefined, SAMPLERS);
  const argument = from.text('OTEL_TRACES_SAMPLER_ARG');
  if (name === undefined) {
    if (argument !== undefined && from.text('OTEL_TRACES_SAMPLER') === undefined) {
      warnings.push({
        variable: 'OTEL_TRACES_SAMPLER_ARG',
        value: JSON.stringify(argument.slice(0, 100)),
        allowed:
          'a ratio beside OTEL_TRACES_SAMPLER (traceidratio or parentbased_traceidratio); it is ignored without one',
      });
    }
    return { name: 'parentbased_always_on', ratio: 1 };
  }
  if (!name.endsWith('traceidratio')) return { name, ratio: 1 };
  return { name, ratio: from.parse('OTEL_TRACES_SAMPLER_ARG', 1, parseRatio, 'a ratio from 0 to 1') };
}

function readBatch(from: Reader): BatchSettings {
  const time = { min: 0, max: 3_600_000, unit: 'milliseconds' };
  const maxQueueSize = from.integer('OTEL_BSP_MAX_QUEUE_SIZE', 2048, { min: 1, max: 1_000_000, unit: 'spans' });
  const size = from.integer('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512, { min: 1, max: 1_000_000, unit: 'spans' });
  return {
    scheduledDelayMs: from.integer('OTEL_BSP_SCHEDULE_DELAY', 5000, time),
    exportTimeoutMs: from.integer('OTEL_BSP_EXPORT_TIMEOUT', 30_000, { ...time, min: 1 }),
    maxQueueSize,
    maxExportBatchSize: Math.min(size, maxQueueSize),
  };
}

function parseOtelBoolean(text: string): boolean | undefined {
  const word = text.toLowerCase();
  return word === 'true' ? true : word === 'false' ? false : undefined;
}

function parseRatio(text: string): number | undefined {
  const ratio = Number(text);
  return Number.isFinite(ratio) && ratio >= 0 && ratio <= 1 ? ratio : undefined;
}

/** `key=value,key=value`, percent-encoded, as W3C baggage writes it. */
function parsePairs(text: string): Record<string, string> | undefined {
  const pairs: Record<string, string> = {};
  for (const pair of text.split(',')) {
    if (pair.trim() === '') continue;
    const at = pair.indexOf('=');
    const key = pair.slice(0, at).trim();
    if (at < 1 || key === '') return undefined;
    try {
      pairs[decodeURIComponent(key)] = decodeURIComponent(pair.slice(at + 1).trim());
    } catch {
      return undefined;
    }
  }
  return pairs;
}

/** Regular expressions anchored at the start of the path, as `OTEL_PYTHON_FASTAPI_EXCLUDED_URLS` has them. */
function parsePatterns(text: string): RegExp[] | undefined {
  try {
    return text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map((part) => new RegExp(`^(?:${part})`));
  } catch {
    return undefined;
  }
}
