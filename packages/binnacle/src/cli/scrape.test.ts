import { describe, expect, test } from 'vitest';
import { createFaults } from '../faults.ts';
import { createRegistry, type Registry } from '../metrics/registry.ts';
import type { Meters } from '../signals.ts';
import type { Finding } from './findings.ts';
import { parseSamples } from './samples.ts';
import { readScrape } from './scrape.ts';

/** What is found in a real scrape. */
async function check(
  fill: (meters: Meters, registry: Registry) => void = () => {},
  maxSeries = {},
): Promise<Finding[]> {
  const registry = createRegistry({ namespace: 'app', faults: createFaults(), maxSeries });
  fill(registry.meters, registry);
  let text = '';
  for await (const chunk of registry.scrape('prometheus')) text += chunk;
  return readScrape(parseSamples(text));
}

const of = (findings: Finding[], subject: string): Finding | undefined =>
  findings.find((finding) => finding.subject === subject);

function serve(meters: Meters, count: number, route: string): void {
  const labels = {
    http_request_method: 'GET',
    url_scheme: 'http',
    http_route: route,
    http_response_status_code: '200',
    error_type: '',
  };
  for (let i = 0; i < count; i += 1) meters.httpDuration.bind(labels).observe(0.1);
}

test('a service that is well', async () => {
  const findings = await check((meters) => {
    serve(meters, 30, '/ask');
    meters.exporterUp.bind({}).set(1);
    meters.spans.bind({ result: 'exported' }).inc(60);
    meters.logsWithoutContext.bind({}).inc(12);
  });
  expect(findings).toEqual([
    { mark: 'ok', subject: 'requests', what: '30 requests, 0 % of them of no route' },
    { mark: 'ok', subject: 'context', what: '12 log lines without a request in hand, 30 requests served' },
    { mark: 'ok', subject: 'exporter', what: 'the last export succeeded' },
    { mark: 'ok', subject: 'spans', what: '60 exported, none dropped or failed' },
    { mark: 'ok', subject: 'series', what: 'none folded' },
    { mark: 'ok', subject: 'log lines', what: 'none dropped' },
  ]);
});

describe('requests', () => {
  test('none yet', async () => {
    expect(of(await check(), 'requests')).toMatchObject({ mark: 'note', what: 'none were observed yet' });
  });

  test.each([
    [1, 18, 'ok'],
    [95, 5, 'ok'],
    [50, 50, 'note'],
    [5, 95, 'problem'],
  ])('%i of routes and %i of none: %s', async (matched, unmatched, mark) => {
    const findings = await check((meters) => {
      serve(meters, matched, '/ask');
      serve(meters, unmatched, '__unmatched__');
    });
    expect(of(findings, 'requests')).toMatchObject({ mark });
  });
});

test.each([
  [100, 19, 'ok'],
  [1000, 99, 'ok'],
  [100, 50, 'note'],
  [100, 100, 'problem'],
  [10, 100, 'ok'],
])('%i requests and %i lines without one: %s', async (requests, lines, mark) => {
  const findings = await check((meters) => {
    serve(meters, requests, '/ask');
    meters.logsWithoutContext.bind({}).inc(lines);
  });
  expect(of(findings, 'context')).toMatchObject({ mark });
});

test('an exporter that is down, spans that are lost, lines that are lost', async () => {
  const findings = await check((meters) => {
    meters.exporterUp.bind({}).set(0);
    meters.spans.bind({ result: 'dropped' }).inc(3);
    meters.spans.bind({ result: 'failed' }).inc(1);
    meters.logLinesDropped.bind({}).inc(2);
  });
  const problems = findings.filter(({ mark }) => mark === 'problem');
  expect(problems.map(({ subject, what }) => `${subject}: ${what}`)).toEqual([
    'exporter: the last export failed',
    'spans: 3 spans dropped, 0 exported',
    'spans: 1 span failed to be sent, 0 exported',
    'log lines: 2 lines dropped: who reads them is too slow, or the disk is full',
  ]);
});

test('metrics that are folded are named, the worst first', async () => {
  const names = ['a_total', 'b_total', 'c_total', 'd_total'];
  const findings = await check(
    (_meters, registry) => {
      for (const [at, name] of names.entries()) {
        const counter = registry.counter({ name, help: 'h', labels: ['id'] });
        for (let i = 0; i <= at + 1; i += 1) counter.inc({ id: `"${i}\\\n` });
      }
    },
    Object.fromEntries(names.map((name) => [name, 1])),
  );
  expect(of(findings, 'series')).toMatchObject({
    mark: 'problem',
    what: 'past their budget, folded into _other: d_total (4 times), c_total (3 times), b_total (2 times) and 1 more',
    mend: expect.stringContaining('observe({ maxSeries: { d_total: 5000 } })'),
  });
});

test.each([
  ['0.01', 'ok'],
  ['0.2', 'note'],
  ['0.8', 'problem'],
])('an event loop that is %s s late: %s', (seconds, mark) => {
  const text = `binnacle_logs_without_context_total 0\nnodejs_eventloop_lag_p99_seconds ${seconds}\n`;
  expect(of(readScrape(parseSamples(text)), 'event loop')).toMatchObject({ mark });
});

test('of several workers the latest event loop counts', () => {
  const lag = 'nodejs_eventloop_lag_p99_seconds';
  const text = `binnacle_logs_without_context_total 0\n${lag} 0.01\n${lag}{worker="1"} 0.05\n${lag}{worker="2"} 0.09\n`;
  expect(of(readScrape(parseSamples(text)), 'event loop')).toMatchObject({
    mark: 'ok',
    what: expect.stringContaining('90 ms'),
  });
});

test('workers: none, all of them gathered, or one alone that happens to answer', async () => {
  expect(of(await check(), 'workers')).toBeUndefined();
  const gathered = await check(({ workersGathered, workerReportAge }) => {
    workersGathered.bind({}).set(1);
    for (const worker of ['1', '2']) workerReportAge.bind({ worker, thread: '' }).set(0);
  });
  expect(of(gathered, 'workers')).toMatchObject({ mark: 'ok', what: '/metrics tells of 2 workers' });
  const alone = await check(({ workersGathered }) => workersGathered.bind({}).set(0));
  expect(of(alone, 'workers')).toMatchObject({ mark: 'problem', mend: expect.stringContaining('gatherWorkers()') });
});

test('the metrics of others are told as that', () => {
  expect(readScrape(parseSamples('up 1\n<html>\n'))).toMatchObject([{ mark: 'problem', subject: '/metrics' }]);
});

test('labels are read with what is escaped in them', () => {
  const [sample] = parseSamples('a{b="x\\"},{\\\\\\n",c=""} 1.5e3 1700000000000').get('a') ?? [];
  expect(sample).toEqual({ labels: { b: 'x"},{\\\n', c: '' }, value: 1500 });
});
