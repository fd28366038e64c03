/**
 * Environment and options become settings, once, at the start. Binnacle's own variables stop the start when they are
 * wrong; `OTEL_*` warn and fall back, as the OpenTelemetry specification asks.
 */
import { isIP } from 'node:net';
import { createReader, type Problem, type Reader, readSettings, SettingsError } from './environment.ts';
import { type KeepReason, type KeepSettings, type OtelSettings, readOtelSettings } from './settings-otel.ts';
import type { Level } from './signals.ts';

export const LEVELS: readonly Level[] = ['TRACE', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'];
const LEVEL_WORDS: string = 'TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL';

/** Whose forwarded addresses are believed: nobody's, everybody's, the last N hops', or those of listed networks. */
export type TrustProxy = boolean | number | readonly string[];

export interface LogSettings {
  readonly level: Level;
  readonly levels: Readonly<Record<string, Level>>;
  readonly format: 'text' | 'json';
  readonly file: string | undefined;
  readonly caller: boolean;
}

export interface ShutdownSettings {
  /** How long new work is still accepted after the signal, in milliseconds. */
  readonly delayMs: number;
  /** When running work is aborted, in milliseconds from the signal. */
  readonly timeoutMs: number;
  /** The most that flushing telemetry may take, in milliseconds. */
  readonly flushMs: number;
}

export interface AiSettings {
  /** A table of prices; costs are not counted without. */
  readonly pricesPath: string | undefined;
  /** Whether prompts and answers go onto spans, as attributes, as events, or both. */
  readonly capture: 'none' | 'span' | 'event' | 'both';
  /** Conventions of GenAI that are written: the newest, or names up to 1.36 beside them. */
  readonly olderNames: boolean;
}

/** Where `observe` is to offer a console; `'development'`: only where `ENVIRONMENT` is that. */
export type ConsoleOption = boolean | 'development' | { readonly token?: string };

export interface ConsoleSettings {
  /** Asked for everywhere; without one only this machine is answered. */
  readonly token: string | undefined;
}

export interface Settings {
  readonly service: string;
  readonly version: string;
  readonly revision: string;
  /** Prefix of the service's own metrics, without the underscore; `''` for none. */
  readonly namespace: string;
  readonly environment: string;
  readonly log: LogSettings;
  readonly metrics: { readonly enabled: boolean; readonly token: string | undefined; readonly legacyNodejs: boolean };
  /** Undefined where there is none. */
  readonly console: ConsoleSettings | undefined;
  readonly host: string;
  readonly managementPort: number | undefined;
  readonly trustProxy: TrustProxy;
  readonly health: {
    readonly intervalMs: number;
    readonly critical: readonly string[];
    readonly criticalGiven?: boolean;
  };
  readonly shutdown: ShutdownSettings;
  readonly keep: KeepSettings;
  readonly ai: AiSettings;
  readonly otel: OtelSettings;
  /** Wrong `OTEL_*` values: told as warnings once the log exists. */
  readonly warnings: readonly Problem[];
}

/** What the caller of `observe` fixes in code; the environment wins where both speak, except for names. */
export interface SettingsOptions {
  readonly service: string;
  readonly version?: string;
  readonly revision?: string;
  readonly namespace?: string;
  /**
   * Offers the console at `/console`: requests, traces, logs, AI calls, metrics and health as they happen, to this
   * machine alone, or to whoever has `token` (`CONSOLE_TOKEN` wins), which production asks for. `CONSOLE_ENABLED` turns
   * it on and off where it is offered.
   */
  readonly console?: ConsoleOption;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Reads and checks all settings. Throws `SettingsError` with one line for Binnacle's own variables. */
export function createSettings(options: SettingsOptions): Settings {
  const env = options.env ?? process.env;
  const warnings: Problem[] = [];
  return readSettings(env, (from) => {
    const environment = readEnvironmentName(from);
    const otel = readOtelSettings(env, warnings);
    return {
      service: otel.serviceName ?? options.service,
      version: options.version ?? otel.resource['service.version'] ?? '0.0.0',
      revision: options.revision ?? '',
      namespace: readNamespace(options.namespace),
      environment,
      log: readLogSettings(from, environment),
      metrics: {
        enabled: from.flag('METRICS_ENABLED', true),
        token: from.text('METRICS_TOKEN'),
        legacyNodejs: from.flag('NODEJS_LEGACY_METRICS', false),
      },
      console: readConsoleSettings(from, options.console, environment),
      host: from.text('HOST') ?? '127.0.0.1',
      managementPort: from.integer('MANAGEMENT_PORT', undefined, { min: 0, max: 65535 }),
      trustProxy: from.parse('TRUST_PROXY', false, parseTrustProxy, TRUST_PROXY_ALLOWED),
      health: {
        intervalMs: from.integer('HEALTH_INTERVAL_MS', 5000, { min: 100, max: 3_600_000, unit: 'milliseconds' }),
        critical: from.list('HEALTH_CRITICAL', ['database', 'disk']),
        criticalGiven: from.text('HEALTH_CRITICAL') !== undefined,
      },
      shutdown: readShutdownSettings(from, environment),
      keep: {
        reasons: from.parse('BINNACLE_KEEP', [], parseKeep, 'error, slow, abort, comma-separated'),
        slowMs: from.integer('BINNACLE_SLOW_MS', 5000, { min: 1, max: 3_600_000, unit: 'milliseconds' }),
      },
      ai: readAiSettings(from, env, warnings),
      otel,
      warnings,
    };
  });
}

const CAPTURES: Readonly<Record<string, AiSettings['capture']>> = {
  true: 'span',
  false: 'none',
  no_content: 'none',
  span_only: 'span',
  event_only: 'event',
  span_and_event: 'both',
};

function readAiSettings(from: Reader, env: SettingsOptions['env'], warnings: Problem[]): AiSettings {
  // A variable of OpenTelemetry's warns, and falls back to what says least.
  const otel = createReader(env ?? {});
  const capture = otel.parse(
    'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT',
    'none' as const,
    (text) => CAPTURES[text.toLowerCase()],
    'true, false, NO_CONTENT, SPAN_ONLY, EVENT_ONLY, SPAN_AND_EVENT',
  );
  warnings.push(...otel.problems);
  return {
    pricesPath: from.text('AI_PRICES_PATH'),
    capture,
    olderNames: from.oneOf('BINNACLE_GENAI_NAMES', 'latest', ['latest', '1.36']) === '1.36',
  };
}

/** Of a token: printable, so that it can be typed, and sent in a header. */
const TOKEN = /^[\x21-\x7e]{8,256}$/;
const TOKEN_ALLOWED = '8 to 256 visible ASCII characters';

/** A variable says whether it is on only where the service's own code offers one. */
function readConsoleSettings(
  from: Reader,
  option: ConsoleOption | undefined,
  environment: string,
): ConsoleSettings | undefined {
  const offered = option === 'development' ? environment === 'development' : option !== undefined && option !== false;
  const asked = from.flag('CONSOLE_ENABLED', offered);
  const given = from.parse('CONSOLE_TOKEN', undefined, (text) => (TOKEN.test(text) ? text : undefined), TOKEN_ALLOWED);
  const own = typeof option === 'object' ? option.token : undefined;
  if (own !== undefined && !TOKEN.test(own)) throw new TypeError(`observe({ console: { token } }): ${TOKEN_ALLOWED}`);
  if (!asked || option === undefined || option === false) return undefined;
  const token = given ?? own;
  if (token === undefined && isProduction(environment) && from.text('CONSOLE_TOKEN') === undefined) {
    const allowed = `${TOKEN_ALLOWED}, which the console asks for in production (CONSOLE_ENABLED=false: no console)`;
    throw new SettingsError([{ variable: 'CONSOLE_TOKEN', value: '(not set)', allowed }]);
  }
  return { token };
}

/** True for every environment but `development` and `test`. */
export function isProduction(environment: string): boolean {
  return environment !== 'development' && environment !== 'test';
}

function readEnvironmentName(from: Reader): string {
  return from.text('ENVIRONMENT') ?? (from.text('NODE_ENV') === 'production' ? 'production' : 'development');
}

function readNamespace(namespace = ''): string {
  if (namespace === '' || /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(namespace)) return namespace;
  throw new TypeError(
    `observe({ namespace: "${namespace}" }): allowed are letters, digits and underscores, not starting with a digit`,
  );
}

function readLogSettings(from: Reader, environment: string): LogSettings {
  return {
    level: from.parse('LOG_LEVEL', 'INFO', parseLevel, LEVEL_WORDS),
    levels: {
      ...{ undici: 'WARNING', openai: 'WARNING', ioredis: 'WARNING', otel: 'WARNING' },
      ...from.parse(
        'LOG_LEVELS',
        {},
        parseLevels,
        `LOGGER=LEVEL pairs, comma-separated, each level one of ${LEVEL_WORDS}`,
      ),
    },
    format: from.oneOf('LOG_FORMAT', isProduction(environment) ? 'json' : 'text', ['text', 'json']),
    file: from.text('LOG_FILE'),
    caller: from.flag('LOG_CALLER', false),
  };
}

function readShutdownSettings(from: Reader, environment: string): ShutdownSettings {
  const range = { min: 0, max: 3_600_000, unit: 'milliseconds' };
  return {
    delayMs: from.integer('SHUTDOWN_DELAY_MS', isProduction(environment) ? 5000 : 0, range),
    timeoutMs: from.integer('SHUTDOWN_TIMEOUT_MS', 25_000, range),
    flushMs: from.integer('SHUTDOWN_FLUSH_MS', 3000, range),
  };
}

/** A level by any of its names, any case; `WARN` and `FATAL` too. */
export function parseLevel(text: string): Level | undefined {
  const word = text.toUpperCase();
  if (word === 'WARN') return 'WARNING';
  if (word === 'FATAL') return 'CRITICAL';
  return LEVELS.find((level) => level === word);
}

function parseKeep(text: string): readonly KeepReason[] | undefined {
  const known: readonly KeepReason[] = ['error', 'slow', 'abort'];
  const words = text
    .split(',')
    .map((word) => word.trim().toLowerCase())
    .filter((word) => word !== '');
  const reasons = known.filter((reason) => words.includes(reason));
  return reasons.length === new Set(words).size ? reasons : undefined;
}

function parseLevels(text: string): Record<string, Level> | undefined {
  const levels: Record<string, Level> = {};
  for (const pair of text.split(',')) {
    if (pair.trim() === '') continue;
    const [name = '', word = '', more] = pair.split('=').map((part) => part.trim());
    const level = parseLevel(word);
    if (name === '' || level === undefined || more !== undefined) return undefined;
    levels[name] = level;
  }
  return levels;
}

const TRUST_PROXY_ALLOWED =
  'true, false, a number of hops from 1 to 32, or comma-separated addresses and networks (10.0.0.0/8)';

function parseTrustProxy(text: string): TrustProxy | undefined {
  const word = text.toLowerCase();
  if (word === 'true') return true;
  if (word === 'false') return false;
  if (/^\d+$/.test(word)) {
    const hops = Number(word);
    return hops >= 1 && hops <= 32 ? hops : undefined;
  }
  const networks = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return networks.length > 0 && networks.every(isNetwork) ? networks : undefined;
}

function isNetwork(text: string): boolean {
  const match = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(text);
  if (match === null) return false;
  const [, address = '', bits] = match;
  const family = isIP(address);
  return family !== 0 && (bits === undefined || Number(bits) <= (family === 4 ? 32 : 128));
}
