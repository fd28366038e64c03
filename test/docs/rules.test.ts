/** The alerts of docs/operations.md against promtool: each fires for what it is there for, and none while all is well. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { toolFor } from '../deploy/files.ts';
import { blocksOf, ROOT, within } from './sources.ts';

const PAGE = 'docs/operations.md';
const MINUTES = 40;
const promtool = toolFor('promtool', ['--version']);

const rules =
  blocksOf(PAGE, readFileSync(join(ROOT, PAGE), 'utf8')).find(({ code }) => code.startsWith('# rules.yml'))?.code ?? '';
const alerts = (parse(rules) as { groups: { rules: { alert: string }[] }[] }).groups.flatMap((group) =>
  group.rules.map(({ alert }) => alert),
);

type Series = Readonly<Record<string, string>>;
interface Expected {
  readonly labels: string;
  readonly value: number;
}

/** A steady increase a minute, or a steady value. */
const grows = (by: number): string => `0+${by}x${MINUTES}`;
const stays = (value: number): string => `${value}x${MINUTES}`;

const STREAM = 'http_route="/api/fit-check/stream"';
const FIRST_BYTE = (le: string): string => `http_server_time_to_first_byte_seconds_bucket{${STREAM},le="${le}"}`;
const BUSY = `http_server_request_duration_seconds_count{${STREAM},http_response_status_code="503"}`;

/** A service that works, by the series that the rules read. */
const WELL: Series = {
  'up{job="fit-check",instance="a"}': stays(1),
  'fit_check_requests_total{status="success"}': grows(60),
  'fit_check_requests_total{status="error"}': grows(1),
  'fit_check_requests_total{status="timeout"}': grows(1),
  'fit_check_requests_total{status="cancelled"}': grows(20),
  [FIRST_BYTE('0.1')]: grows(60),
  [FIRST_BYTE('2.5')]: grows(60),
  [FIRST_BYTE('+Inf')]: grows(60),
  [BUSY]: stays(3),
  // It opens for 30 s now and then.
  'fit_check_circuit_breaker_open_seconds_total{service="llm"}': grows(6),
  'fit_check_llm_calls_total{model="m",status="success"}': grows(60),
  'fit_check_llm_calls_total{model="m",status="error"}': grows(2),
  'system_filesystem_usage_bytes{system_filesystem_mountpoint="/",system_filesystem_state="free"}': stays(1e10),
  'system_filesystem_usage_bytes{system_filesystem_mountpoint="/",system_filesystem_state="used"}': stays(1e8),
  system_memory_usage_bytes: stays(50),
  system_memory_limit_bytes: stays(100),
  nodejs_eventloop_lag_p99_seconds: stays(0.02),
  'binnacle_spans_total{result="exported"}': grows(60),
  'binnacle_spans_total{result="failed"}': stays(512),
  'binnacle_spans_total{result="dropped"}': stays(0),
  binnacle_log_lines_dropped_total: stays(7),
  'binnacle_series_folded_total{metric="x_total"}': stays(9),
};

/** What is different where an alert is to fire. */
const TROUBLE: Readonly<Record<string, Series>> = {
  FitCheckDown: { 'up{job="fit-check",instance="a"}': stays(0) },
  FitCheckFails: { 'fit_check_requests_total{status="error"}': grows(8) },
  FitCheckTimesOut: { 'fit_check_requests_total{status="timeout"}': grows(8) },
  FitCheckStartsLate: { [FIRST_BYTE('0.1')]: grows(10), [FIRST_BYTE('2.5')]: grows(50), [FIRST_BYTE('10')]: grows(60) },
  FitCheckFull: { [BUSY]: grows(1) },
  FitCheckBreakerOpen: { 'fit_check_circuit_breaker_open_seconds_total{service="llm"}': grows(55) },
  FitCheckLlmFails: { 'fit_check_llm_calls_total{model="m",status="error"}': grows(20) },
  FitCheckDiskFills: {
    'system_filesystem_usage_bytes{system_filesystem_mountpoint="/",system_filesystem_state="free"}': stays(5e8),
  },
  FitCheckMemoryFills: { system_memory_usage_bytes: stays(97) },
  FitCheckLoopHeld: { nodejs_eventloop_lag_p99_seconds: stays(0.8) },
  FitCheckSpansLost: { 'binnacle_spans_total{result="dropped"}': grows(5) },
  FitCheckLinesLost: { binnacle_log_lines_dropped_total: grows(1) },
  FitCheckSeriesFolded: { 'binnacle_series_folded_total{metric="x_total"}': grows(1) },
};

/** Asks an expression at the end of a time in which such series were scraped; '' where it gives what is expected. */
function ask(series: Series, expr: string, expected: readonly Expected[]): Promise<string> {
  return within(async (folder) => {
    writeFileSync(join(folder, 'rules.yml'), rules);
    const unit = {
      rule_files: ['rules.yml'],
      evaluation_interval: '1m',
      tests: [
        {
          interval: '1m',
          input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
          promql_expr_test: [{ expr, eval_time: `${MINUTES}m`, exp_samples: expected }],
        },
      ],
    };
    writeFileSync(join(folder, 'unit.yml'), JSON.stringify(unit));
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', join(folder, 'unit.yml')], {
      encoding: 'utf8',
    });
    return status === 0 ? '' : `${stdout}${stderr}`;
  });
}

const FIRING = 'count by (alertname) (ALERTS{alertstate="firing"})';

describe.skipIf(promtool.skip)(`alerts${promtool.why}`, () => {
  test('each has its trouble here', () => expect(Object.keys(TROUBLE).sort()).toEqual([...alerts].sort()));

  test.each(alerts)('%s fires', async (alert) => {
    const expected = [{ labels: `{alertname="${alert}"}`, value: 1 }];
    expect(await ask({ ...WELL, ...TROUBLE[alert] }, FIRING, expected)).toBe('');
  });

  test('none fires while all is well', async () => {
    expect(await ask(WELL, FIRING, [])).toBe('');
  });

  test('none fires while nobody asks: every series is there, and stands still', async () => {
    const still = Object.entries(WELL).map(([name, values]) => [name, values.startsWith('0+') ? stays(0) : values]);
    expect(await ask(Object.fromEntries(still), FIRING, [])).toBe('');
  });

  test('the error rate as the guide has it is 1 with any error; with sums it is the share', async () => {
    const series = {
      'fit_check_requests_total{status="error"}': grows(1),
      'fit_check_requests_total{status="success"}': grows(1),
    };
    const rate = (labels: string): string => `rate(fit_check_requests_total${labels}[5m])`;
    const asWritten = `${rate('{status="error"}')} / ${rate('')}`;
    expect(await ask(series, asWritten, [{ labels: '{status="error"}', value: 1 }])).toBe('');
    const summed = `sum(${rate('{status="error"}')}) / sum(${rate('')})`;
    expect(await ask(series, summed, [{ labels: '{}', value: 0.5 }])).toBe('');
    expect(await ask(series, summed, [{ labels: '{}', value: 1 }])).not.toBe('');
  });
});
