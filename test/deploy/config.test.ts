import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { ROOT, readYaml, toolFor } from './files.ts';

interface Collector {
  readonly receivers: Readonly<Record<string, { readonly protocols: Readonly<Record<string, { endpoint: string }>> }>>;
  readonly processors: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly exporters: Readonly<Record<string, { readonly endpoint: string; readonly [option: string]: unknown }>>;
  readonly service: {
    readonly pipelines: Readonly<Record<string, Readonly<Record<'receivers' | 'processors' | 'exporters', string[]>>>>;
    readonly telemetry: unknown;
  };
}

interface Prometheus {
  readonly scrape_configs: readonly {
    readonly job_name: string;
    readonly metrics_path?: string;
    readonly static_configs: readonly { readonly targets: readonly string[] }[];
  }[];
}

const collector = readYaml<Collector>('deploy/collector/config.yaml');
const prometheus = readYaml<Prometheus>('deploy/prometheus/prometheus.yml');
const { services } = readYaml<{ services: Readonly<Record<string, unknown>> }>('compose.yaml');

test('the collector takes OTLP over HTTP on its port, and sends it to Jaeger', () => {
  expect(collector.receivers).toEqual({ otlp: { protocols: { http: { endpoint: '0.0.0.0:4318' } } } });
  expect(Object.values(collector.exporters).map(({ endpoint }) => endpoint)).toEqual(['http://jaeger:4318']);
});

test('the collector limits memory first and batches last, and uses all that it defines', () => {
  const { pipelines } = collector.service;
  expect(Object.keys(pipelines)).toEqual(['traces']);
  expect(pipelines.traces).toEqual({
    receivers: Object.keys(collector.receivers),
    processors: ['memory_limiter', 'batch'],
    exporters: Object.keys(collector.exporters),
  });
  expect(Object.keys(collector.processors)).toEqual(['memory_limiter', 'batch']);
});

test("nothing in the collector's way is unbounded", () => {
  expect(collector.processors.memory_limiter).toMatchObject({ limit_percentage: expect.any(Number) });
  expect(collector.processors.batch?.send_batch_max_size).toBeGreaterThan(0);
  for (const exporter of Object.values(collector.exporters)) {
    expect(exporter).toMatchObject({
      timeout: expect.stringMatching(/^\d+s$/),
      sending_queue: { queue_size: expect.any(Number) },
      retry_on_failure: { max_elapsed_time: expect.stringMatching(/^[1-9]\d*s$/) },
    });
  }
  // A percentage is of the container's memory, so that must have a limit.
  expect(services.collector).toMatchObject({ mem_limit: expect.any(String) });
});

test('Prometheus scrapes the backend, and the collector where it tells of itself', () => {
  const targets = prometheus.scrape_configs.flatMap(({ job_name, static_configs }) =>
    static_configs.flatMap(({ targets }) => targets.map((target) => [job_name, target])),
  );
  expect(targets).toEqual([
    ['fit-check', 'backend:8000'],
    ['collector', 'collector:8888'],
    ['prometheus', 'localhost:9090'],
  ]);
  for (const { metrics_path } of prometheus.scrape_configs) expect(metrics_path ?? '/metrics').toBe('/metrics');
  expect(collector.service.telemetry).toMatchObject({
    metrics: { readers: [{ pull: { exporter: { prometheus: { host: '0.0.0.0', port: 8888 } } } }] },
  });
});

const promtool = toolFor('promtool', ['--version']);
test.skipIf(promtool.skip)(`promtool takes prometheus.yml${promtool.why}`, () => {
  const check = spawnSync('promtool', ['check', 'config', 'deploy/prometheus/prometheus.yml'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect(check, check.stderr).toMatchObject({ status: 0, stderr: '' });
});
