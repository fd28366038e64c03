import { describe, expect, test } from 'vitest';
import { SettingsError } from './environment.ts';
import { type ConsoleOption, createSettings, isProduction, parseLevel, type Settings } from './settings.ts';

const settings = (env: Record<string, string> = {}): Settings => createSettings({ service: 'x', env });

interface Row {
  readonly variable: string;
  readonly read: (settings: Settings) => unknown;
  readonly fallback: unknown;
  readonly good: readonly (readonly [text: string, value: unknown])[];
  readonly bad: readonly string[];
}

const LEVELS = { undici: 'WARNING', openai: 'WARNING', ioredis: 'WARNING', otel: 'WARNING' };
const MS = ['-1', '1.5', 'soon', '3600001'];
const ROWS: readonly Row[] = [
  {
    variable: 'ENVIRONMENT',
    read: (s) => s.environment,
    fallback: 'development',
    good: [
      ['test', 'test'],
      ['Staging', 'Staging'],
    ],
    bad: [],
  },
  {
    variable: 'LOG_LEVEL',
    read: (s) => s.log.level,
    fallback: 'INFO',
    good: [
      ['debug', 'DEBUG'],
      ['warn', 'WARNING'],
      ['Fatal', 'CRITICAL'],
      ['TRACE', 'TRACE'],
    ],
    bad: ['verbose', 'INF', '20', 'constructor'],
  },
  {
    variable: 'LOG_LEVELS',
    read: (s) => s.log.levels,
    fallback: LEVELS,
    good: [
      ['undici=debug, http = error', { ...LEVELS, undici: 'DEBUG', http: 'ERROR' }],
      [',', LEVELS],
    ],
    bad: ['undici', 'undici=loud', '=INFO', 'a=INFO,b', 'a=INFO=b'],
  },
  {
    variable: 'LOG_FORMAT',
    read: (s) => s.log.format,
    fallback: 'text',
    good: [
      ['json', 'json'],
      ['TEXT', 'text'],
    ],
    bad: ['xml'],
  },
  { variable: 'LOG_FILE', read: (s) => s.log.file, fallback: undefined, good: [['/x/y.log', '/x/y.log']], bad: [] },
  { variable: 'LOG_CALLER', read: (s) => s.log.caller, fallback: false, good: [['1', true]], bad: ['maybe'] },
  { variable: 'HOST', read: (s) => s.host, fallback: '127.0.0.1', good: [['0.0.0.0', '0.0.0.0']], bad: [] },
  {
    variable: 'MANAGEMENT_PORT',
    read: (s) => s.managementPort,
    fallback: undefined,
    good: [
      ['9090', 9090],
      ['0', 0],
    ],
    bad: ['65536', '-1', 'x'],
  },
  {
    variable: 'TRUST_PROXY',
    read: (s) => s.trustProxy,
    fallback: false,
    good: [
      ['true', true],
      ['False', false],
      ['1', 1],
      ['32', 32],
      ['10.0.0.0/8, ::1', ['10.0.0.0/8', '::1']],
    ],
    bad: ['0', '33', 'yes', '10.0.0.0/33', '256.1.1.1', '1.2.3', '01.2.3.4', '::1/129', 'example.com', ',', ':::'],
  },
  { variable: 'METRICS_ENABLED', read: (s) => s.metrics.enabled, fallback: true, good: [['off', false]], bad: ['x'] },
  { variable: 'METRICS_TOKEN', read: (s) => s.metrics.token, fallback: undefined, good: [['t', 't']], bad: [] },
  {
    variable: 'NODEJS_LEGACY_METRICS',
    read: (s) => s.metrics.legacyNodejs,
    fallback: false,
    good: [['true', true]],
    bad: ['x'],
  },
  {
    variable: 'HEALTH_INTERVAL_MS',
    read: (s) => s.health.intervalMs,
    fallback: 5000,
    good: [['100', 100]],
    bad: ['99', ...MS],
  },
  {
    variable: 'HEALTH_CRITICAL',
    read: (s) => s.health.critical,
    fallback: ['database', 'disk'],
    good: [['database, redis', ['database', 'redis']]],
    bad: [],
  },
  { variable: 'SHUTDOWN_DELAY_MS', read: (s) => s.shutdown.delayMs, fallback: 0, good: [['9', 9]], bad: MS },
  { variable: 'SHUTDOWN_TIMEOUT_MS', read: (s) => s.shutdown.timeoutMs, fallback: 25_000, good: [['9', 9]], bad: MS },
  { variable: 'SHUTDOWN_FLUSH_MS', read: (s) => s.shutdown.flushMs, fallback: 3000, good: [['0', 0]], bad: MS },
];

describe.each(ROWS)('$variable', ({ variable, read, fallback, good, bad }) => {
  test('unset, empty and blank are the default', () => {
    for (const env of [{}, { [variable]: '' }, { [variable]: '  ' }]) expect(read(settings(env))).toEqual(fallback);
  });
  test('good values', () => {
    for (const [text, value] of good) expect(read(settings({ [variable]: text })), text).toEqual(value);
  });
  test('bad values stop the start with one line', () => {
    for (const text of bad) {
      let message = '';
      try {
        settings({ [variable]: text });
      } catch (error) {
        expect(error).toBeInstanceOf(SettingsError);
        message = (error as Error).message;
      }
      expect(message.startsWith(`${variable}="${text}" is not usable: allowed is `), `${text}: ${message}`).toBe(true);
      expect(message).not.toContain('\n');
    }
  });
});

test('any environment but development and test is production: JSON, and a delay before new work is refused', () => {
  const production: Record<string, string>[] = [
    { ENVIRONMENT: 'production' },
    { ENVIRONMENT: 'staging' },
    { NODE_ENV: 'production' },
  ];
  for (const env of production) {
    expect(settings(env)).toMatchObject({
      log: { format: 'json' },
      shutdown: { delayMs: 5000 },
    });
  }
  expect(settings({ NODE_ENV: 'production' }).environment).toBe('production');
  expect(settings({ NODE_ENV: 'production', ENVIRONMENT: 'test' }).log.format).toBe('text');
  expect(settings({ ENVIRONMENT: 'production', LOG_FORMAT: 'text' }).log.format).toBe('text');
  expect(['development', 'test', 'production', 'Test'].map(isProduction)).toEqual([false, false, true, true]);
});

describe('the console', () => {
  const TOKEN = 'a-token-of-16-ch';
  const read = (option: ConsoleOption | undefined, env: Record<string, string> = {}): Settings['console'] =>
    createSettings({ service: 'x', console: option, env }).console;
  const problem = (option: ConsoleOption | undefined, env: Record<string, string>): string => {
    try {
      read(option, env);
    } catch (error) {
      expect(error).toBeInstanceOf(SettingsError);
      return (error as Error).message;
    }
    return 'none';
  };

  test('is there where the code offers it, and nowhere else', () => {
    const asked: Record<string, string>[] = [
      {},
      { CONSOLE_ENABLED: 'true' },
      { CONSOLE_ENABLED: 'true', CONSOLE_TOKEN: TOKEN },
    ];
    for (const env of asked) for (const option of [undefined, false]) expect(read(option, env)).toBeUndefined();
    expect(read(true)).toEqual({ token: undefined });
    expect(read({})).toEqual({ token: undefined });
    expect(read({ token: TOKEN })).toEqual({ token: TOKEN });
  });

  test("'development' is that alone, unless the variable says more", () => {
    expect(read('development')).toEqual({ token: undefined });
    const others: Record<string, string>[] = [
      { ENVIRONMENT: 'test' },
      { ENVIRONMENT: 'production' },
      { NODE_ENV: 'production' },
    ];
    for (const env of others) expect(read('development', env)).toBeUndefined();
    expect(read('development', { ENVIRONMENT: 'test', CONSOLE_ENABLED: 'yes' })).toEqual({ token: undefined });
    expect(read('development', { CONSOLE_ENABLED: 'off' })).toBeUndefined();
    expect(read('development', { ENVIRONMENT: 'production', CONSOLE_ENABLED: '1', CONSOLE_TOKEN: TOKEN })).toEqual({
      token: TOKEN,
    });
  });

  test('has the token of the environment before that of the code', () => {
    expect(read({ token: `${TOKEN}-of-code` }, { CONSOLE_TOKEN: TOKEN })).toEqual({ token: TOKEN });
  });

  test('in production without a token stops the start, with one line that says what to do', () => {
    const production = { ENVIRONMENT: 'production' };
    const said =
      'CONSOLE_TOKEN=(not set) is not usable: allowed is 8 to 256 visible ASCII characters, which the console asks for in production (CONSOLE_ENABLED=false: no console)';
    expect(problem(true, production)).toBe(said);
    expect(problem('development', { ...production, CONSOLE_ENABLED: 'true' })).toBe(said);
    expect(read(true, { ...production, CONSOLE_ENABLED: 'false' })).toBeUndefined();
    expect(read({ token: TOKEN }, production)).toEqual({ token: TOKEN });
  });

  test('wrong values stop the start, whether it is on or not; a token is never printed', () => {
    for (const option of [undefined, true] as const) {
      expect(problem(option, { CONSOLE_ENABLED: 'maybe' })).toBe(
        'CONSOLE_ENABLED="maybe" is not usable: allowed is true or false',
      );
      for (const token of ['short', 'with a blank', 'ünprintable', 'x'.repeat(257)])
        expect(problem(option, { ENVIRONMENT: 'production', CONSOLE_TOKEN: token })).toBe(
          'CONSOLE_TOKEN=(withheld) is not usable: allowed is 8 to 256 visible ASCII characters',
        );
    }
    expect(() => read({ token: 'short' })).toThrow(TypeError);
  });
});

test('OTEL_SERVICE_NAME names the service, then service.name of the resource, then the code', () => {
  expect(settings().service).toBe('x');
  expect(settings({ OTEL_RESOURCE_ATTRIBUTES: 'service.name=y,service.version=3' })).toMatchObject({
    service: 'y',
    version: '3',
  });
  expect(settings({ OTEL_SERVICE_NAME: 'z', OTEL_RESOURCE_ATTRIBUTES: 'service.name=y' }).service).toBe('z');
});

test('wrong OTEL_ variables never stop the start', () => {
  const { warnings } = settings({ OTEL_TRACES_SAMPLER: 'dice', OTEL_BSP_MAX_QUEUE_SIZE: '-1' });
  expect(warnings.map(({ variable }) => variable)).toEqual(['OTEL_TRACES_SAMPLER', 'OTEL_BSP_MAX_QUEUE_SIZE']);
});

test("a namespace that no metric's name can begin with is the caller's mistake", () => {
  expect(createSettings({ service: 'x', namespace: 'fit_check', env: {} }).namespace).toBe('fit_check');
  for (const namespace of ['fit-check', '1x', 'a b'])
    expect(() => createSettings({ service: 'x', namespace, env: {} })).toThrow(TypeError);
});

test('levels by any of their names', () => {
  expect(['trace', 'Warn', 'FATAL', 'critical', 'warning', 'toString', ''].map(parseLevel)).toEqual([
    'TRACE',
    'WARNING',
    'CRITICAL',
    'CRITICAL',
    'WARNING',
    undefined,
    undefined,
  ]);
});
