/** The figures that docs/operations.md tells, against the code that has them; and the index, against the pages. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { describe, expect, test } from 'vitest';
import { readFitCheckSettings } from '../../apps/fit-check/src/settings.ts';
import { CONTENT_LIMIT } from '../../packages/binnacle/src/ai/content.ts';
import { definitions } from '../../packages/binnacle/src/catalogue.ts';
import { MOST_PAGES } from '../../packages/binnacle/src/console/pages.ts';
import { RECORD_BYTES } from '../../packages/binnacle/src/console/ring.ts';
import { SAMPLE_MS } from '../../packages/binnacle/src/console/sampler.ts';
import { STORE_BOUNDS } from '../../packages/binnacle/src/console/store.ts';
import { QUEUE_LIMIT } from '../../packages/binnacle/src/logs/queue.ts';
import { createBudget, TEXT_LIMIT } from '../../packages/binnacle/src/logs/text.ts';
import { createSettings } from '../../packages/binnacle/src/settings.ts';
import { SPAN_BOUNDS } from '../../packages/binnacle/src/traces/span-queue.ts';
import { ROOT } from './sources.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const page = read('docs/operations.md');
const [KI, MI] = [1024, 1024 * 1024];
const { otel, shutdown } = createSettings({ service: 'x', env: { ENVIRONMENT: 'production' } });
const service = readFitCheckSettings({});

describe('what docs/operations.md tells is what there is', () => {
  test.each([
    [
      '`OTEL_BSP_MAX_QUEUE_SIZE` (2,048), 16 MiB, 1 MiB a span',
      [otel.batch.maxQueueSize, SPAN_BOUNDS.queue, SPAN_BOUNDS.span],
      [2048, 16 * MI, MI],
    ],
    ['4 MiB, `OTEL_EXPORTER_OTLP_TIMEOUT` (10,000 ms)', [SPAN_BOUNDS.batch, otel.otlp.timeoutMs], [4 * MI, 10_000]],
    ['`SHUTDOWN_FLUSH_MS` (3,000 ms)', [shutdown.flushMs], [3000]],
    ['`SHUTDOWN_DELAY_MS` (5,000 in production, else 0)', [shutdown.delayMs], [5000]],
    ['`SHUTDOWN_TIMEOUT_MS` (25,000)', [shutdown.timeoutMs], [25_000]],
    ['4 Mi characters for each place they go to', [QUEUE_LIMIT], [4 * MI]],
    ['16 Ki characters a text, 256 Ki in all', [TEXT_LIMIT, createBudget().text], [16 * KI, 256 * KI]],
    ['16 KiB a side', [CONTENT_LIMIT], [16 * KI]],
    ['`MAX_SESSIONS` (256)', [service.maxSessions], [256]],
    ['`BODY_LIMIT_BYTES` (1 MiB)', [service.bodyLimitBytes], [MI]],
    ['fit_check_active_sessions) / 256', [service.maxSessions], [256]],
  ])('%s', (told, found, meant) => {
    expect(page).toContain(told);
    expect(found).toEqual(meant);
  });

  test.each([
    ['1,000, or `maxSeries`', 'packages/binnacle/src/metrics/registry.ts', 'DEFAULT_MAX_SERIES = 1000;'],
    [
      '2,000, 16 MiB, 1,000 spans each',
      'packages/binnacle/src/traces/keep.ts',
      '{ traces: 2000, bytes: 16 * 1024 * 1024, spans: 1000 }',
    ],
    ['200 fields', 'packages/binnacle/src/logs/fields.ts', 'FIELDS_LIMIT = 200;'],
    ['8 levels deep', 'packages/binnacle/src/logs/safe.ts', 'DEPTH_LIMIT = 8;'],
    ['| health checks | 64 |', 'packages/binnacle/src/health/health.ts', 'MAX_CHECKS = 64;'],
    ['500 and 32 Mi characters a cache', 'apps/fit-check/src/cache/memory.ts', 'MAX_CHARACTERS = 32 * 1024 * 1024;'],
    ['500 and 32 Mi characters a cache', 'apps/fit-check/src/analysis.ts', 'entries: 500,'],
    ['500 and 32 Mi characters a cache', 'apps/fit-check/src/search/search.ts', 'entries: 500,'],
    [
      '2,000 rows and 32 MiB an instance',
      'apps/fit-check/src/store/keeper.ts',
      '{ rows: 2000, bytes: 32 * 1024 * 1024 }',
    ],
    ['torn down a second later', 'packages/binnacle/src/shutdown.ts', 'GOODBYE_MS = 1000;'],
    ['A repeated signal within a second', 'packages/binnacle/src/shutdown.ts', 'REPEAT_MS = 1000;'],
  ])('%s: %s', (told, file, code) => {
    expect(page).toContain(told);
    expect(read(file)).toContain(code);
  });
});

test('names of Binnacle of itself are mapped to metrics that OpenTelemetry has', () => {
  const theirs = Object.entries(conventions).flatMap(([name, value]) =>
    name.startsWith('METRIC_OTEL_SDK_') ? [String(value)] : [],
  );
  const ours = Object.values(definitions).map(({ name }) => name);
  const rows = page.match(/^\| `binnacle_.*/gm) ?? [];
  expect(rows).toHaveLength(6);
  const named = rows.flatMap((row) => [...row.matchAll(/`((?:otel\.sdk\.|binnacle_)[\w.]+)/g)].map(([, name]) => name));
  expect(named.filter((name = '') => ![...theirs, ...ours].includes(name))).toEqual([]);
  expect(named.filter((name) => name?.startsWith('otel.'))).toHaveLength(6);
});

describe('what docs/console.md tells is what there is', () => {
  const { spans, logs, metrics, chunks, health } = STORE_BOUNDS;
  test.each([
    ['10,000 and 16 MiB', [spans.count, spans.bytes], [10_000, 16 * MI]],
    ['50,000 and 16 MiB', [logs.count, logs.bytes], [50_000, 16 * MI]],
    ['2,000 series and 16 MiB', [metrics.series, metrics.bytes], [2000, 16 * MI]],
    ['1,000 calls and 2 MiB', [chunks.count, chunks.bytes], [1000, 2 * MI]],
    ['720 rounds and 1 MiB', [health.count, health.bytes], [720, MI]],
    ['above 256 KiB is left out', [RECORD_BYTES], [256 * KI]],
    ["prom-client's guests included, every 2 s", [SAMPLE_MS], [2000]],
    ['8 pages may be open', [MOST_PAGES], [8]],
    ['(51 MiB in all)', [spans.bytes + logs.bytes + metrics.bytes + chunks.bytes + health.bytes], [51 * MI]],
  ])('%s', (told, found, meant) => {
    expect(read('docs/console.md')).toContain(told);
    expect(found).toEqual(meant);
  });

  test.each([
    ['with 2,000 chunks each', 'packages/binnacle/src/ai/operation.ts', 'CHUNK_TIMES = 2000;'],
    ['at most 256 KiB and 500 records', 'packages/binnacle/src/console/feed.ts', 'EVENT_RECORDS = 500;'],
    ['at most 256 KiB and 500 records', 'packages/binnacle/src/console/feed.ts', 'EVENT_BYTES = 256 * 1024;'],
    ['at most five times a second', 'packages/binnacle/src/console/pages.ts', 'TICK_MS = 200;'],
    ['a cookie for 12 hours', 'packages/binnacle/src/console/guard.ts', 'COOKIE_SECONDS = 12 * 60 * 60;'],
    ['After 10 wrong ones in a minute', 'packages/binnacle/src/console/attempts.ts', 'OF_ONE = 10;'],
  ])('%s (%s)', (told, file, said) => {
    expect(read('docs/console.md')).toContain(told);
    expect(read(file)).toContain(said);
  });
});

test('docs/README.md leads to every page of docs/', () => {
  const index = read('docs/README.md');
  const pages = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.md') && name !== 'README.md',
  );
  expect(pages.length).toBeGreaterThan(12);
  expect(pages.filter((name) => !index.includes(`](${name})`))).toEqual([]);
});
