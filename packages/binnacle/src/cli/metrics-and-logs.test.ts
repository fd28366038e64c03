import { expect, test } from 'vitest';
import { readEnvironment } from './environment.ts';
import type { Finding } from './findings.ts';
import { checkMetricsAndLogs } from './metrics-and-logs.ts';
import { makeProject } from './testing-project.test-helper.ts';

const check = (env: Record<string, string>, folder = '/'): Finding[] =>
  checkMetricsAndLogs(readEnvironment(env), folder);
const of = (env: Record<string, string>, subject: string, folder?: string): Finding | undefined =>
  check(env, folder).find((finding) => finding.subject === subject);

test('the defaults are well', () => {
  expect(check({})).toEqual([
    { mark: 'ok', subject: 'metrics', what: '/metrics answers without a token' },
    { mark: 'ok', subject: 'logs', what: 'text, from INFO on (development)' },
  ]);
});

test('wrong variables are problems in the words of the library, all of them, without what is secret', () => {
  const findings = check({ LOG_LEVEL: 'LOUD', MANAGEMENT_PORT: '99999', OTEL_TRACES_SAMPLER: 'none' });
  expect(findings).toEqual([
    {
      mark: 'problem',
      subject: 'LOG_LEVEL',
      what: '"LOUD" is not usable: allowed is TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL; the service does not start',
      mend: 'correct LOG_LEVEL',
    },
    expect.objectContaining({ mark: 'problem', subject: 'MANAGEMENT_PORT' }),
  ]);
});

test('metrics that are off, or open to all', () => {
  expect(of({ METRICS_ENABLED: 'false' }, 'metrics')).toMatchObject({ mark: 'note' });
  const open = { ENVIRONMENT: 'production', HOST: '0.0.0.0' };
  expect(of(open, 'metrics')).toMatchObject({ mark: 'note', mend: expect.stringContaining('METRICS_TOKEN') });
  expect(of({ ...open, METRICS_TOKEN: 'hush' }, 'metrics')).toMatchObject({ mark: 'ok' });
  expect(of({ ...open, MANAGEMENT_PORT: '9464' }, 'metrics')).toMatchObject({ mark: 'ok' });
  expect(of({ ...open, HOST: '127.0.0.1' }, 'metrics')).toMatchObject({ mark: 'ok' });
});

test('lines that are not written, or that no program reads', () => {
  expect(of({ LOG_LEVEL: 'ERROR' }, 'LOG_LEVEL')).toMatchObject({ mark: 'note' });
  expect(of({ ENVIRONMENT: 'production', LOG_FORMAT: 'text' }, 'logs')).toMatchObject({ mark: 'note' });
  expect(of({ ENVIRONMENT: 'production' }, 'logs')).toMatchObject({ mark: 'ok' });
});

test('a log file is made with its folders, and is no folder', () => {
  const folder = makeProject({ 'logs/a.log': '', file: '' });
  expect(of({ LOG_FILE: 'logs/a.log' }, 'LOG_FILE', folder)).toMatchObject({ mark: 'ok' });
  expect(of({ LOG_FILE: 'other/deep/b.log' }, 'LOG_FILE', folder)).toMatchObject({ mark: 'ok' });
  expect(of({ LOG_FILE: 'logs' }, 'LOG_FILE', folder)).toMatchObject({ mark: 'problem', what: 'logs is a folder' });
  expect(of({ LOG_FILE: 'file/b.log' }, 'LOG_FILE', folder)).toMatchObject({ mark: 'problem' });
});
