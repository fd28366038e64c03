import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SettingsError } from './environment.ts';
import { reportStartFailure } from './start-failure.ts';

let written = '';
const exitCode = process.exitCode;
beforeEach(() => {
  written = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = exitCode;
});

const settingsError = new SettingsError([{ variable: 'PORT', value: '"x"', allowed: 'a number' }]);
const taken = Object.assign(new Error('listen EADDRINUSE: address already in use'), {
  code: 'EADDRINUSE',
  port: 8000,
  address: '127.0.0.1',
});

describe('as text', () => {
  const env = { LOG_FORMAT: 'text' };
  test.each([
    ['settings', settingsError, 'svc cannot start: PORT="x" is not usable: allowed is a number\n'],
    [
      'a taken port',
      taken,
      'svc cannot start: port 8000 on 127.0.0.1 is taken; end what listens there, or choose another port\n',
    ],
    [
      'a port for root',
      Object.assign(new Error('x'), { code: 'EACCES', port: 80 }),
      'svc cannot start: port 80 may not be used by this user; choose one above 1023\n',
    ],
    [
      'an address of another machine',
      Object.assign(new Error('x'), { code: 'EADDRNOTAVAIL', address: '1.2.3.4' }),
      "svc cannot start: the address 1.2.3.4 is not one of this machine's; check HOST\n",
    ],
    ['what is no error', 'nothing', 'svc cannot start: nothing\n'],
  ])('%s is one line', (_, error, line) => {
    reportStartFailure('svc', error, env);
    expect(written).toBe(line);
    expect(process.exitCode).toBe(1);
  });

  test('anything else comes with its stack', () => {
    reportStartFailure('svc', new TypeError('broken'), env);
    expect(written).toMatch(/^svc cannot start: TypeError: broken\nTypeError: broken\n\s+at /);
  });
});

describe('as JSON', () => {
  const report = (error: unknown, env: Record<string, string> = { LOG_FORMAT: 'JSON' }) => {
    reportStartFailure('svc', error, env);
    expect(written.trimEnd()).not.toContain('\n');
    return JSON.parse(written) as Record<string, unknown>;
  };

  test('settings and a taken port have no stack', () => {
    expect(report(settingsError)).toEqual({
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      level: 'CRITICAL',
      logger: 'svc',
      message: 'svc cannot start: PORT="x" is not usable: allowed is a number',
      service: 'svc',
    });
  });

  test('anything else carries its exception', () => {
    const { exception } = report(new TypeError('broken'));
    expect(exception).toMatchObject({ type: 'TypeError', message: 'broken', stack: expect.stringContaining(' at ') });
  });
});

test.each([
  [{}, false],
  [{ NODE_ENV: 'production' }, true],
  [{ ENVIRONMENT: 'staging' }, true],
  [{ ENVIRONMENT: '', NODE_ENV: 'production' }, true],
  [{ ENVIRONMENT: 'test', NODE_ENV: 'production' }, false],
  [{ ENVIRONMENT: 'production', LOG_FORMAT: 'text' }, false],
  [{ ENVIRONMENT: 'production', LOG_FORMAT: 'xml' }, true],
])('%j is JSON: %s', (env, json) => {
  reportStartFailure('svc', settingsError, env);
  expect(written.startsWith('{')).toBe(json);
});
