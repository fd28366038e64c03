/** What becomes of metrics and log lines, by the environment. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isProduction, type LogSettings, type Settings } from '../settings.ts';
import type { ReadEnvironment } from './environment.ts';
import { type Finding, inWords, note, ok, problem } from './findings.ts';

export function checkMetricsAndLogs({ settings, problems }: ReadEnvironment, folder: string): Finding[] {
  if (settings === undefined) {
    return problems.map((wrong) =>
      problem(wrong.variable, `${inWords(wrong)}; the service does not start`, `correct ${wrong.variable}`),
    );
  }
  const { log, environment } = settings;
  return [
    describeMetrics(settings),
    ...describeLevel(log),
    describeFormat(log, environment),
    ...(log.file === undefined ? [] : [describeFile(log.file, folder)]),
  ];
}

function describeMetrics({ metrics, host, environment, managementPort }: Settings): Finding {
  if (!metrics.enabled) {
    return note('metrics', 'METRICS_ENABLED=false: nothing is counted, /metrics answers 404', 'unset METRICS_ENABLED');
  }
  if (metrics.token !== undefined) return ok('metrics', '/metrics asks for the bearer of METRICS_TOKEN');
  if (managementPort !== undefined) return ok('metrics', `/metrics answers on port ${managementPort} alone`);
  if (isProduction(environment) && !isLoopback(host)) {
    return note(
      'metrics',
      `/metrics answers whoever reaches ${host}`,
      'set METRICS_TOKEN, or MANAGEMENT_PORT to a port that is not public',
    );
  }
  return ok('metrics', '/metrics answers without a token');
}

function isLoopback(host: string): boolean {
  return /^(127\.|localhost$|::1$)/.test(host);
}

function describeLevel({ level }: LogSettings): Finding[] {
  if (level !== 'WARNING' && level !== 'ERROR' && level !== 'CRITICAL') return [];
  return [note('LOG_LEVEL', `${level}: requests leave no closing line`, 'LOG_LEVEL=INFO, and LOG_LEVELS for the loud')];
}

function describeFormat({ format, level }: LogSettings, environment: string): Finding {
  if (format === 'text' && isProduction(environment)) {
    return note('logs', `text in ${environment}: programs cannot read them`, 'unset LOG_FORMAT, or LOG_FORMAT=json');
  }
  return ok('logs', `${format}, from ${level} on (${environment})`);
}

/** The library makes the file, and the folders that lead to it. */
function describeFile(file: string, folder: string): Finding {
  const path = resolve(folder, file);
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
      return problem('LOG_FILE', `${file} is a folder`, 'name a file in it');
    }
    accessSync(existingPart(path), constants.W_OK);
    return ok('LOG_FILE', file);
  } catch (error) {
    const { code = 'failed' } = error as NodeJS.ErrnoException;
    return problem('LOG_FILE', `${file} cannot be written: ${code}`, 'name a file that the service may write');
  }
}

function existingPart(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : existingPart(dirname(path));
}
