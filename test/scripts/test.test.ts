import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadScript } from './module.ts';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}
interface Check {
  name: string;
  find(): Promise<string>;
}

const { countReport } = await loadScript<{
  countReport(report: unknown, status: number): Counts & { troubles: string[] };
}>('vitest.mjs');
const { formatCounts, sumCounts } = await loadScript<{
  formatCounts(counts: Counts): string;
  sumCounts(...all: Counts[]): Counts;
}>('counts.mjs');
const { runChecks } = await loadScript<{
  runChecks(options: { checks: Check[]; write(line: string): void }): Promise<Counts>;
}>('checks.mjs');
const { testEnvironment } = await loadScript<{ testEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv }>(
  'test-environment.mjs',
);
const { ROOT } = await loadScript<{ ROOT: string }>('root.mjs');
const { longFiles, downloadAddresses } = await loadScript<{
  longFiles(files: Map<string, string>, exceptions: Record<string, string>): string[];
  downloadAddresses(text: string): string[];
}>('checks/sources.mjs');

describe('counting', () => {
  const report = { numPassedTests: 3, numFailedTests: 0, numPendingTests: 1, numTodoTests: 1, testResults: [] };
  const unloaded = { name: join(ROOT, 'test/a.test.ts'), status: 'failed', assertionResults: [] };

  test('what the tests say', () => {
    expect(countReport(report, 0)).toEqual({ passed: 3, failed: 0, skipped: 2, troubles: [] });
    expect(countReport({ ...report, numFailedTests: 2 }, 1)).toMatchObject({ passed: 3, failed: 2, troubles: [] });
  });

  test.each([
    ['left no report', undefined, 1],
    ['ended with status 1 although each test passed', report, 1],
    ['no test was run', { ...report, numPassedTests: 0 }, 0],
    ['test/a.test.ts failed outside its tests', { ...report, testResults: [unloaded] }, 1],
  ])('what no test says is a failure too: %s', (why, given, status) => {
    expect(countReport(given, status)).toMatchObject({ failed: 1, troubles: [expect.stringContaining(why)] });
  });

  test('the closing line', () => {
    const counts = { passed: 3, failed: 1, skipped: 0 };
    expect(formatCounts(counts)).toBe('3 passed, 1 failed');
    expect(formatCounts(sumCounts(counts, { passed: 1, failed: 0, skipped: 2 }))).toBe('4 passed, 1 failed, 2 skipped');
  });
});

test('each check is a line and a count, and one that throws has failed', async () => {
  const lines: string[] = [];
  const checks = [
    { name: 'good', find: async () => '' },
    { name: 'bad', find: async () => 'a.ts:1 is wrong' },
    { name: 'broken', find: () => Promise.reject(new Error('no tool')) },
  ];
  expect(await runChecks({ checks, write: (line) => lines.push(line) })).toEqual({ passed: 1, failed: 2, skipped: 0 });
  expect(lines).toEqual([
    'ok  good',
    'FAIL bad\na.ts:1 is wrong',
    expect.stringMatching(/^FAIL broken\nbroken could not be checked: Error: no tool/),
  ]);
});

test('tests inherit nothing that changes the service', () => {
  const service = {
    NODE_ENV: 'production',
    ENVIRONMENT: 'production',
    PORT: '1',
    LOG_LEVEL: 'DEBUG',
    OTEL_SDK_DISABLED: 'true',
    OPENAI_API_KEY: 'k',
    LLM_MODEL: 'm',
    HEALTH_CRITICAL: 'disk',
    BINNACLE_KEEP: 'error',
    MAX_SESSIONS: '1',
  };
  const kept = { PATH: '/bin', CI: 'true', REQUIRE_SERVERS: '1', HOSTNAME: 'here', LOGNAME: 'me' };
  expect(testEnvironment({ ...service, ...kept })).toEqual({ ...kept, NODE_ENV: 'test' });
});

test('a long file is told, unless it is named with a reason', () => {
  const files = new Map([
    ['a.ts', 'x\n'.repeat(400)],
    ['b.ts', 'x\n'.repeat(401)],
    ['c.ts', 'x\n'.repeat(500)],
  ]);
  expect(longFiles(files, { 'c.ts': 'a table' })).toEqual([
    expect.stringMatching(/^b\.ts has more than 400 lines: split/),
  ]);
  expect(longFiles(files, { 'a.ts': 'no more', 'b.ts': 'x', 'c.ts': 'x' })).toEqual([
    'a.ts is named in LONG_FILES and is not long: take it out',
  ]);
});

test('a lock file holds no download addresses', () => {
  const packages = {
    'node_modules/a': { resolved: 'https://example.org/a.tgz' },
    'node_modules/b': { resolved: 'packages/b' },
  };
  expect(downloadAddresses(JSON.stringify({ packages }))).toEqual([
    expect.stringContaining('node_modules/a holds a download'),
  ]);
});
