/** The guide's test 3: the scrape by name, by promtool, and by a real Prometheus, over embedded parts and over servers. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { BACKINGS, type Backing, type Run, titleOf, useBacking } from './backings.ts';
import { ask } from './events.ts';
import { scrape } from './metrics.ts';
import { startPrometheus } from './servers/prometheus.ts';
import { until } from './until.ts';

const BUCKETS = {
  request_duration_seconds: [1, 5, 10, 30, 60, 120, 300, 600],
  phase_duration_seconds: [0.1, 0.5, 1, 2, 5, 10, 30, 60],
  llm_latency_seconds: [0.5, 1, 2, 5, 10, 30],
} as const;
const PHASES = ['connecting', 'deep_research', 'skills_matching', 'gap_analysis', 'verdict'];
const APPENDIX = [
  'fit_check_active_sessions',
  'rate(fit_check_requests_total[5m])',
  'histogram_quantile(0.95, rate(fit_check_request_duration_seconds_bucket[5m]))',
  'rate(fit_check_phase_completions_total[5m])',
  'fit_check_circuit_breaker_state',
  'rate(fit_check_requests_total{status="error"}[5m]) / rate(fit_check_requests_total[5m])',
  'sum(rate(fit_check_requests_total{status="error"}[5m])) / sum(rate(fit_check_requests_total[5m]))',
];
const hasPrometheus =
  spawnSync('prometheus', ['--version']).status === 0 && spawnSync('promtool', ['--version']).status === 0;
const needed = process.env.REQUIRE_SERVERS === '1';

for (const backing of BACKINGS)
  describe.skipIf(backing.skipped !== undefined)(titleOf(backing), () => {
    const run = useBacking(backing);
    describe('the scrape of a service that has served nothing', () => testZero(backing, run));
    describe('the scrape after one session', () => testServed(backing, run));
    describe.skipIf(!hasPrometheus && !needed)(
      'promtool and Prometheus (skipped where they are not installed: apt-get install prometheus)',
      () => testPrometheus(run),
    );
  });

function testZero({ model }: Backing, run: () => Run): void {
  it('has every series of the guide at 0, with its labels and buckets', async () => {
    const samples = await scrape(run().service.url);
    for (const name of zeroSeries(model)) expect.soft(samples.get(`fit_check_${name}`), name).toBe(0);
    const prefix = {
      request_duration_seconds: '',
      phase_duration_seconds: 'phase="verdict",',
      llm_latency_seconds: `model="${model}",`,
    };
    for (const [name, bounds] of Object.entries(BUCKETS)) {
      const labels = prefix[name as keyof typeof prefix];
      for (const bound of [...bounds, '+Inf'])
        expect.soft(samples.get(`fit_check_${name}_bucket{${labels}le="${bound}"}`), `${name} ${bound}`).toBe(0);
    }
    expect([...samples.keys()].find((name) => name.startsWith('fit_check_build_info{'))).toMatch(
      /version="[^"]+",node_version="\d+\.[^"]+"/,
    );
    for (const source of ['provider', 'estimated', 'missing'])
      expect(samples.get(`ai_usage_source_total{source="${source}"}`)).toBe(0);
  });
}

function zeroSeries(model: string): string[] {
  return [
    'active_sessions',
    ...['success', 'error', 'timeout', 'cancelled'].map((status) => `requests_total{status="${status}"}`),
    ...PHASES.flatMap((phase) =>
      ['success', 'error'].map((status) => `phase_completions_total{phase="${phase}",status="${status}"}`),
    ),
    ...['success', 'error', 'cancelled'].map((status) => `llm_calls_total{model="${model}",status="${status}"}`),
    ...['search', 'llm'].flatMap((name) => [
      `circuit_breaker_state{service="${name}"}`,
      `circuit_breaker_open_seconds_total{service="${name}"}`,
      ...['success', 'failure', 'timeout', 'rejected', 'cancelled'].map(
        (outcome) => `circuit_breaker_calls_total{service="${name}",outcome="${outcome}"}`,
      ),
    ]),
    'circuit_breaker_transitions_total{service="llm",from="closed",to="open"}',
    ...['hit', 'miss', 'error'].map((result) => `cache_requests_total{cache="search",result="${result}"}`),
    'cache_entries{cache="search"}',
    'cache_evictions_total{cache="search"}',
    'request_duration_seconds_count',
    ...PHASES.map((phase) => `phase_duration_seconds_count{phase="${phase}"}`),
    `llm_latency_seconds_count{model="${model}"}`,
  ];
}

function testServed({ model, outside: expected }: Backing, run: () => Run): void {
  it('counts it under the model that wrote it, and the parts that are meant served it', async () => {
    const { service, storedStatus, outside } = run();
    await ask(service.url, { query: 'Spotify', session_id: 'scraped' });
    await until('it is stored', async () => (await storedStatus(service, 'scraped')) === 'complete');
    expect(await outside('Spotify')).toEqual(expected);
    const samples = await scrape(service.url);
    const calls = [...samples].filter(([name, count]) => name.startsWith('fit_check_llm_calls_total{') && count > 0);
    expect(calls).toEqual([[`fit_check_llm_calls_total{model="${model}",status="success"}`, 1]]);
    for (const name of ['search', 'llm'])
      expect(samples.get(`fit_check_circuit_breaker_calls_total{service="${name}",outcome="success"}`)).toBe(1);
  });
}

function testPrometheus(run: () => Run): void {
  it('promtool finds nothing to say', async () => {
    const { url } = run().service;
    await ask(url, { query: 'Google' });
    const text = await (await fetch(`${url}/metrics`)).text();
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    expect(`${stdout}${stderr}`).toBe('');
    expect(status).toBe(0);
  });

  it('a real Prometheus scrapes it, and every query of the appendix gives a result', async () => {
    const { url } = run().service;
    const prometheus = await startPrometheus(url);
    const { query } = prometheus;
    const first = async (text: string): Promise<number> => Number((await query(text))[0]?.value[1] ?? 0);
    try {
      await until(
        'scrapes have been made',
        async () => (await first('count_over_time(fit_check_active_sessions[5m])')) >= 3,
      );
      await ask(url, { query: 'Siemens' });
      await until(
        'the session has been scraped',
        async () => (await first('increase(fit_check_requests_total{status="success"}[1m])')) > 0,
      );
      for (const text of APPENDIX) expect.soft((await query(text)).length, text).toBeGreaterThan(0);
      expect((await query('up'))[0]?.value[1]).toBe('1');
      const quantile = 'histogram_quantile(0.95, rate(fit_check_request_duration_seconds_bucket[5m]))';
      expect(await first(quantile)).toBeGreaterThan(0);
    } finally {
      await prometheus.stop();
    }
  });
}
