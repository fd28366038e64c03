/** One request's trace through a real OpenTelemetry Collector, as deploy/ configures it: `npm run collector`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type OtlpReceiver,
  type ReceivedSpan,
  startOtlpReceiver,
} from '../../../../packages/binnacle/test/otlp/receiver.ts';
import { BACKINGS, type Backing, type Parts, titleOf } from '../backings.ts';
import { ask } from '../events.ts';
import { freePort } from '../ports.ts';
import { type Service, startService } from '../service.ts';
import { printTree, strangersOf, type TraceNode, toTree } from '../trace-tree.ts';
import { until } from '../until.ts';

/** Set by scripts/collector.mjs, which builds it. */
const PROGRAM = process.env.BINNACLE_COLLECTOR ?? '';
const DEPLOYED = fileURLToPath(new URL('../../../../deploy/collector/config.yaml', import.meta.url));
const [SERVER, CLIENT] = [2, 3];
/** The servers: PostgreSQL, Redis, and what stands for the LLM and the search. */
const backing = BACKINGS.at(-1) as Backing;

interface Collector {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
  /** Its own metrics, as text. */
  metrics(): Promise<string>;
  close(): Promise<void>;
}

const title = `a real collector${PROGRAM === '' ? ' (by npm run collector alone)' : ''}, ${titleOf(backing)}`;

describe.skipIf(PROGRAM === '' || backing.skipped !== undefined)(title, () => {
  let parts: Parts;
  beforeAll(async () => {
    parts = await backing.start();
  });
  afterAll(() => parts?.close());

  it.each([
    ['http/protobuf and gzip, the default', {}],
    ['http/json', { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }],
    ['http/protobuf without compression', { OTEL_EXPORTER_OTLP_COMPRESSION: 'none' }],
  ])('%s: one request comes out of it as one tree', async (name, env) => {
    await using run = await startRun(parts, env);
    const { service, receiver, collector } = run;
    const session = `collector-${Object.values(env).join('').replace(/\W/g, '')}`;
    await ask(service.url, { query: 'Kubernetes engineer', session_id: session });
    const spans = await until('the root span came out of the collector', () => traceOfRequest(receiver));
    const tree = toTree(spans);
    process.stdout.write(`\n${name}\n${printTree(tree)}\n\n`);
    expectRequest(tree, spans, session);
    expect(receiver.spans.every(({ traceId }) => traceId === tree.span.traceId)).toBe(true);
    expect(receiver.requests.every(({ headers }) => headers['content-type'] === 'application/json')).toBe(true);
    // What it sent counts once it was answered.
    await until('the collector has counted what it sent', async () => (await counted(collector, 'exporter_sent')) > 0);
    const counts = ['receiver_accepted', 'receiver_refused', 'processor_memory_limiter_accepted', 'exporter_sent'];
    expect(await Promise.all(counts.map((name) => counted(collector, name)))).toEqual([
      spans.length,
      0,
      spans.length,
      spans.length,
    ]);
    expect(service.lines().filter(({ level }) => level !== 'INFO')).toEqual([]);
  });
});

interface Run extends AsyncDisposable {
  readonly service: Service;
  readonly collector: Collector;
  readonly receiver: OtlpReceiver;
}

async function startRun(parts: Parts, env: Readonly<Record<string, string>>): Promise<Run> {
  const receiver = await startOtlpReceiver();
  const collector = await startCollector(receiver.url);
  const fresh = await parts.fresh();
  const service = await startService({
    ...fresh.env,
    ...env,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '200',
  });
  return {
    service,
    collector,
    receiver,
    async [Symbol.asyncDispose]() {
      await service.stop();
      await collector.close();
      await receiver.close();
    },
  };
}

/** Its deployed settings, but for where it listens and where it sends to; what it sends is JSON. */
async function startCollector(target: string): Promise<Collector> {
  const folder = mkdtempSync(join(tmpdir(), 'collector-'));
  const [port, own] = [await freePort(), await freePort()];
  const overlay = {
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
    exporters: { 'otlp_http/jaeger': { endpoint: target, encoding: 'json' } },
    service: {
      telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus: { host: '127.0.0.1', port: own } } } }] } },
    },
  };
  writeFileSync(join(folder, 'overlay.yaml'), JSON.stringify(overlay));
  const child = spawn(PROGRAM, [`--config=${DEPLOYED}`, `--config=${join(folder, 'overlay.yaml')}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const told: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => told.push(text));
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await until('the collector is ready', () => isReady(child, told), 60_000);
  return {
    url: `http://127.0.0.1:${port}`,
    metrics: async () => (await fetch(`http://127.0.0.1:${own}/metrics`)).text(),
    async close() {
      child.kill('SIGTERM');
      await closed;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function isReady(child: ChildProcess, told: readonly string[]): boolean {
  const text = told.join('');
  if (child.exitCode !== null) throw new Error(`the collector ended with ${child.exitCode}:\n${text}`);
  return text.includes('Everything is ready');
}

/** All spans of the request's trace, once its root has come: a batch later than the rest. */
function traceOfRequest({ spans }: OtlpReceiver): ReceivedSpan[] | undefined {
  const root = spans.find(({ kind }) => kind === SERVER);
  return root && spans.filter(({ traceId }) => traceId === root.traceId);
}

function expectRequest(tree: TraceNode, spans: readonly ReceivedSpan[], session: string): void {
  expect(tree.span).toMatchObject({ name: 'POST /api/fit-check/stream', kind: SERVER });
  expect(tree.span.attributes).toMatchObject({ 'http.response.status_code': 200, 'url.scheme': 'http' });
  expect(tree.span.resource).toMatchObject({ 'service.name': 'fit-check', 'telemetry.sdk.language': 'nodejs' });
  const calls = spans.filter(({ kind }) => kind === CLIENT).map(({ name }) => name);
  expect(calls).toEqual(expect.arrayContaining(['INSERT sessions', 'GET', 'POST', 'chat double-1']));
  expect(strangersOf(spans)).toEqual([]);
  // The id is taken before its session begins.
  const claim = tree.children.find(({ span }) => span.name === 'INSERT sessions')?.span;
  expect(spans.filter((span) => span !== claim && span.attributes['session.id'] !== session)).toEqual([]);
}

/** Spans by what the collector says of itself; not a number where it says nothing. */
async function counted(collector: Collector, what: string): Promise<number> {
  const rows = (await collector.metrics()).split('\n').filter((row) => row.startsWith(`otelcol_${what}_spans{`));
  const values = rows.map((row) => Number(row.slice(row.lastIndexOf(' ') + 1)));
  return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value);
}
