/** The dashboard: that it can be drawn, that Grafana finds what it needs, and that each query gives what it is there for. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ask, openStream } from '../../apps/fit-check/test/events.ts';
import { type LlmDouble, startLlm } from '../../apps/fit-check/test/llm-double.ts';
import { type Prometheus, startPrometheus } from '../../apps/fit-check/test/servers/prometheus.ts';
import { type Service, startService } from '../../apps/fit-check/test/service.ts';
import { until } from '../../apps/fit-check/test/until.ts';
import { startOtlpReceiver } from '../../packages/binnacle/test/otlp/receiver.ts';
import { loadScript } from '../scripts/module.ts';
import { ROOT, read, readYaml, toolFor } from './files.ts';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly legendFormat: string;
    readonly datasource: { readonly uid: string };
  }[];
}

interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition: string }[] };
}

interface Sources {
  readonly datasources: readonly {
    readonly uid: string;
    readonly type: string;
    readonly url: string;
    readonly jsonData?: {
      readonly timeInterval: string;
      readonly exemplarTraceIdDestinations: readonly { readonly name: string; readonly datasourceUid: string }[];
    };
  }[];
}

const FOLDER = 'deploy/grafana';
const dashboard = JSON.parse(read(`${FOLDER}/dashboards/fit-check.json`)) as Dashboard;
const { datasources } = readYaml<Sources>(`${FOLDER}/provisioning/datasources/datasources.yaml`);
const { providers } = readYaml<{ providers: readonly { options: { path: string } }[] }>(
  `${FOLDER}/provisioning/dashboards/dashboards.yaml`,
);
const { services } = readYaml<{
  services: Readonly<
    Record<string, { volumes?: string[]; environment?: string[]; command?: string[]; ports?: string[] }>
  >;
}>('compose.yaml');
const drawn = dashboard.panels.filter(({ type }) => type !== 'row');
const targets = drawn.flatMap(({ title, targets = [] }) => targets.map((target) => ({ title, ...target })));

describe('the dashboard', () => {
  test('has panels that do not overlap, each with a title, a unit and queries of its own', () => {
    const taken = new Map<string, string>();
    for (const { title, gridPos } of dashboard.panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken.get(`${x},${y}`), `${title} lies on another`).toBeUndefined();
          taken.set(`${x},${y}`, title);
        }
    }
    for (const key of ['id', 'title'] as const)
      expect(new Set(dashboard.panels.map((panel) => panel[key])).size).toBe(dashboard.panels.length);
    for (const { title, fieldConfig, targets = [] } of drawn) {
      expect(fieldConfig?.defaults.unit, title).toMatch(/^\w+$/);
      expect(targets.length, title).toBeGreaterThan(0);
      expect(new Set(targets.map(({ refId }) => refId)).size, title).toBe(targets.length);
    }
    for (const { title, legendFormat } of targets) expect(legendFormat, title).not.toBe('');
  });

  test('asks a data source that is provisioned, for the instances that are chosen', () => {
    const known = datasources.map(({ uid }) => uid);
    for (const { title, datasource } of drawn) expect(known, title).toContain(datasource?.uid);
    for (const { title, datasource, expr } of targets) {
      expect(known, title).toContain(datasource.uid);
      // Every selector has it: a metric's name is never alone.
      const selectors = expr.match(/\b(?:fit_check|http|gen_ai|db|process|nodejs|system|binnacle)_\w+/g) ?? [];
      const named = selectors.filter((name) => expr.includes(`${name}{`));
      expect(named.length, expr).toBeGreaterThan(0);
      expect(expr.match(/instance=~"\$instance"/g)?.length, expr).toBe(named.length);
    }
    expect(dashboard.templating.list.map(({ name }) => name)).toEqual(['instance']);
  });

  test('has legends of labels that its queries keep', () => {
    for (const { expr, legendFormat } of targets)
      for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
        const kept = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/));
        if (kept.length > 0) expect(kept, expr).toContain(label);
      }
  });

  test('leaves streams out of percentiles over all routes', () => {
    const overall = targets.filter(
      ({ expr }) =>
        /^histogram_quantile\(.*http_server_request_duration_seconds/.test(expr) && !expr.includes('http_route)'),
    );
    expect(overall).toHaveLength(3);
    for (const { expr } of overall) expect(expr).toContain('http_route!="/api/fit-check/stream"');
  });

  test('divides sums by sums', () => {
    const shares = targets.filter(({ expr }) => expr.includes(' / '));
    expect(shares.length).toBeGreaterThan(2);
    for (const { expr } of shares)
      for (const side of expr.split(' / ')) expect(side).toMatch(/^sum(?: by \([^)]*\))?\s*\(rate\(/);
    expect(shares.some(({ expr }) => expr.includes('status="error"'))).toBe(true);
  });
});

describe('Grafana', () => {
  const grafana = services.grafana;

  test('finds the files where they are mounted', () => {
    const [sources, boards] = ['provisioning', 'dashboards'].map((name) =>
      grafana?.volumes?.find((volume) => volume.startsWith(`./${FOLDER}/${name}:`)),
    );
    expect(sources).toContain(':/etc/grafana/provisioning:');
    const path = boards?.split(':')[1];
    expect(providers.map(({ options }) => options.path)).toEqual([path]);
    const home = grafana?.environment?.find((line) => line.startsWith('GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH='));
    expect(home?.split('=')[1]).toBe(`${path}/fit-check.json`);
    expect(readdirSync(join(ROOT, FOLDER, 'dashboards'))).toEqual(['fit-check.json']);
  });

  test('asks services of compose at the ports where they listen', () => {
    for (const { url } of datasources) {
      const { hostname, port } = new URL(url);
      expect(
        services[hostname]?.ports?.some((one) => one.endsWith(`:${port}`)),
        url,
      ).toBe(true);
    }
  });

  test('leads from an exemplar to its trace, and Prometheus keeps exemplars', () => {
    const prometheus = datasources.find(({ uid }) => uid === 'prometheus');
    expect(prometheus?.jsonData?.exemplarTraceIdDestinations).toEqual([{ name: 'trace_id', datasourceUid: 'jaeger' }]);
    expect(datasources.map(({ uid, type }) => [uid, type])).toContainEqual(['jaeger', 'jaeger']);
    expect(services.prometheus?.command).toContain('--enable-feature=exemplar-storage');
    const { global } = readYaml<{ global: { scrape_interval: string } }>('deploy/prometheus/prometheus.yml');
    expect(prometheus?.jsonData?.timeInterval).toBe(global.scrape_interval);
  });

  test('lets nobody in who could change anything', () => {
    expect(grafana?.environment).toEqual(
      expect.arrayContaining([
        'GF_AUTH_ANONYMOUS_ORG_ROLE=Viewer',
        'GF_AUTH_DISABLE_LOGIN_FORM=true',
        'GF_AUTH_BASIC_ENABLED=false',
      ]),
    );
  });
});

/** As Grafana fills them in, for a time of a minute. */
const filled = (expr: string): string =>
  expr.replaceAll('$__rate_interval', '1m').replaceAll('$__range', '1m').replaceAll('$instance', '.*');

const promtool = toolFor('promtool', ['--version']);
test.skipIf(promtool.skip)(`promtool takes every query${promtool.why}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'binnacle-grafana-'));
  try {
    const rules = targets.map(({ expr }, at) => ({ record: `panel:${at}`, expr: filled(expr) }));
    writeFileSync(join(folder, 'rules.yml'), JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
    const check = spawnSync('promtool', ['check', 'rules', join(folder, 'rules.yml')], { encoding: 'utf8' });
    expect(check.stderr).toBe('');
    expect(check.stdout).toContain(`${targets.length} rules found`);
    for (const { expr } of targets) expect(filled(expr)).not.toContain('$');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const prometheusTool = toolFor('prometheus', ['--version']);
describe.skipIf(prometheusTool.skip)(`against the running service${prometheusTool.why}`, () => {
  beforeAll(async () => {
    await (await loadScript<{ ensureBuilt(): Promise<unknown> }>('build.mjs')).ensureBuilt();
  }, 300_000);

  test('every query gives figures', { timeout: 120_000 }, async () => {
    const [receiver, llm] = await Promise.all([startOtlpReceiver(), startLlm()]);
    const service = await startService({
      OPENAI_BASE_URL: llm.url,
      LLM_MODEL: 'double-1',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    });
    const prometheus = await startPrometheus(service.url);
    try {
      // Twice the same, with scrapes between: what appears by the first has risen by the second.
      for (const round of ['first', 'second']) {
        llm.behaviour = { kind: 'answer' };
        for (const query of ['Google', 'Google', `Nurse ${round}`]) await ask(service.url, { query });
        await leave(service, `Left ${round}`, llm);
        llm.behaviour = { kind: 'status', status: 500 };
        await ask(service.url, { query: `Baker ${round}` });
        for (const path of ['/api/fit-check/health', '/none']) await fetch(service.url + path);
        await scraped(prometheus, 3);
      }
      for (const { expr, title } of targets) {
        const result = await prometheus.query(filled(expr));
        const figures = result.map(({ value }) => Number(value[1]));
        expect.soft(figures.length, `${title}: ${expr}`).toBeGreaterThan(0);
        expect.soft(figures.every(Number.isFinite) || 'not a number', `${title}: ${expr}: ${figures}`).toBe(true);
      }
      const [share] = await prometheus.query(filled(shareOfErrors()));
      expect(Number(share?.value[1])).toBeGreaterThan(0);
      expect(Number(share?.value[1])).toBeLessThan(1);
      const instances = await prometheus.query('count by (instance) (fit_check_active_sessions)');
      expect(instances).toHaveLength(1);
    } finally {
      await prometheus.stop();
      await service.stop();
      await Promise.all([receiver.close(), llm.close()]);
    }
  });
});

const shareOfErrors = (): string =>
  targets.find(({ expr }) => expr.includes(' / ') && expr.includes('status="error"'))?.expr ?? '';

/** A client that goes away while the model still speaks. */
async function leave(service: Service, query: string, llm: LlmDouble): Promise<void> {
  const closed = (): number => service.output.filter((line) => line.includes('"http_status":499')).length;
  const before = closed();
  llm.behaviour = { kind: 'hold' };
  const stream = await openStream(service.url, { query });
  await stream.next('response');
  stream.abort();
  await stream.ended;
  await until('it is closed', () => closed() > before);
}

/** Waits until so many scrapes have come since now. */
async function scraped(prometheus: Prometheus, count: number): Promise<void> {
  const made = async (): Promise<number> =>
    Number((await prometheus.query('count_over_time(up[10m])'))[0]?.value[1] ?? 0);
  const before = await made();
  await until(`${count} scrapes`, async () => (await made()) >= before + count, 30_000);
}
