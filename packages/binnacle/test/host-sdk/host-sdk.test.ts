/**
 * A service that runs OpenTelemetry's own SDK keeps it: Binnacle's spans are made and sent by it, and whatever its
 * instrumentations have a span for gets no second one. Real packages, in a process of its own, loaded as they ask for.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Shape, shapeOf, toTree } from '../../../../apps/fit-check/test/trace-tree.ts';
import { until } from '../../../../apps/fit-check/test/until.ts';
import type { ReceivedSpan } from '../otlp/receiver.ts';
import { type Forms, writeForms } from '../runtimes/forms.ts';
import { findNode, type NodeBinary } from '../runtimes/nodes.ts';
import { type Run, runOnce } from '../runtimes/run.ts';
import { type Servers, startServers, WITHOUT_SERVERS } from '../runtimes/servers.ts';
import { unordered } from '../runtimes/shape.ts';

const [SERVER, CLIENT] = [2, 3];

interface Host {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  /** How the SDK is loaded before the service. */
  readonly args: readonly string[];
  /** Below the server's span. */
  readonly tree: readonly Shape[];
  /** Binnacle's scope in what the host sends: names of the spans that are not of its own instrumentations. */
  readonly ours: readonly string[];
  /** Whether node:http is instrumented, so that Node.js 20 sends `traceparent` on as well. */
  readonly sendsByNodeHttp: boolean;
}

const VERDICT: Shape = ['phase verdict', ['breaker llm', ['chat double-1', ['POST']]]];
const OURS_ALWAYS = ['phase research', 'cache answers', 'phase verdict', 'breaker llm', 'chat double-1'];
const INSTRUMENTED: readonly Shape[] = [
  [
    'phase research',
    ['pg-pool.connect', ['pg.connect']],
    ['pg.query:SELECT runtimes'],
    ['pg-pool.connect'],
    ['pg.query:BEGIN runtimes'],
    ['pg.query:INSERT runtimes'],
    ['pg.query:COMMIT runtimes'],
    ['cache answers', ['get']],
    ['redis-GET'],
    ['GET'],
    ['GET'],
  ],
  VERDICT,
];
/** As its documentation asks: CommonJS is patched as it is loaded, ES modules by hooks of Node's loader. */
const COMMONJS = ['--require', './setup.cjs', 'service.cjs'];
const ESM = ['--import', './setup.mjs', 'service.mjs'];
const LOADER = `import { register } from 'node:module';
register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);
await import('./setup.cjs');`;
const HOSTS: readonly Host[] = [
  {
    name: 'a provider alone',
    env: {},
    args: COMMONJS,
    tree: [
      [
        'phase research',
        ['SELECT items'],
        ['BEGIN runtimes'],
        ['INSERT items'],
        ['COMMIT runtimes'],
        ['cache answers', ['GET 0']],
        ['GET 0'],
        ['GET'],
        ['GET'],
      ],
      VERDICT,
    ],
    ours: [
      ...['POST /ask', ...OURS_ALWAYS, 'SELECT items', 'BEGIN runtimes', 'INSERT items', 'COMMIT runtimes'],
      ...['GET 0', 'GET 0', 'GET', 'GET', 'POST'],
    ],
    sendsByNodeHttp: false,
  },
  {
    name: 'instrumentations of http, undici, pg, ioredis and redis',
    env: { HOST_INSTRUMENTS: 'http,undici,pg,ioredis,redis' },
    args: COMMONJS,
    tree: INSTRUMENTED,
    ours: OURS_ALWAYS,
    sendsByNodeHttp: true,
  },
  {
    name: 'the same, in ES modules',
    env: { HOST_INSTRUMENTS: 'http,undici,pg,ioredis,redis' },
    args: ESM,
    tree: INSTRUMENTED,
    ours: OURS_ALWAYS,
    sendsByNodeHttp: true,
  },
  {
    name: 'the same in CommonJS, and @fastify/otel',
    env: { HOST_INSTRUMENTS: 'http,undici,pg,ioredis,redis,fastify' },
    args: COMMONJS,
    tree: [
      [
        'request',
        ['onRequest - fastify -> @fastify/otel -> binnacle'],
        ['handler - fastify -> @fastify/otel -> binnacle', ...INSTRUMENTED],
      ],
    ],
    ours: OURS_ALWAYS,
    sendsByNodeHttp: true,
  },
];

const nodes = await Promise.all([20, 24].map(findNode));

let servers: Servers;
let forms: Forms;

describe.skipIf(WITHOUT_SERVERS !== undefined)(`a host's own SDK (${WITHOUT_SERVERS ?? 'as released'})`, () => {
  beforeAll(async () => {
    [servers, forms] = await Promise.all([
      startServers(),
      writeForms(new URL('../runtimes/fixture.ts', import.meta.url)),
    ]);
    const setup = readFileSync(new URL('setup.ts', import.meta.url), 'utf8');
    const { code } = await transform(setup, { loader: 'ts', format: 'cjs', platform: 'node', target: 'node20' });
    writeFileSync(join(forms.folder, 'setup.cjs'), code);
    writeFileSync(join(forms.folder, 'setup.mjs'), LOADER);
  });
  afterAll(async () => {
    forms?.remove();
    await servers?.close();
  });

  for (const node of nodes) for (const host of HOSTS) describeHost(node, host);
});

function describeHost(node: NodeBinary, host: Host): void {
  const missing = 'missing' in node ? node.missing : undefined;
  const title = `on Node.js ${'version' in node ? node.version : node.major}, with ${host.name}`;
  describe.skipIf(missing !== undefined)(missing === undefined ? title : `${title} (skipped: ${missing})`, () => {
    const upstreamPath = `/${node.major}/${HOSTS.indexOf(host)}`;
    let run: Run;
    let request: readonly ReceivedSpan[];
    let chat: string | undefined;
    beforeAll(async () => {
      if (!('path' in node)) throw new Error(node.missing);
      run = await runHost(node.path, host, upstreamPath);
      chat = servers.llm.requests.at(-1)?.headers.traceparent as string | undefined;
      request = traceOf(run.hosts, '/ask');
    });

    it("is used for everything: Binnacle's own exporter sends nothing, and one line says so", () => {
      expect([run.status, run.exit, run.spans, run.strays]).toEqual([200, 0, [], []]);
      expect(run.lines.filter(({ level }) => level !== 'INFO')).toEqual([]);
      const said = run.lines.filter(({ message }) => String(message).startsWith('OpenTelemetry is set up by the host'));
      expect(said.map(({ message }) => message)).toEqual([
        'OpenTelemetry is set up by the host, and used for: context manager, tracer provider, propagator',
      ]);
      const hints = run.lines.filter(({ message }) => String(message).includes('node:http'));
      expect(hints).toHaveLength(node.major === 20 && !host.sendsByNodeHttp ? 1 : 0);
    });

    it('makes one tree of its spans and of ours, each thing once', () => {
      expect(unordered(shapeOf(toTree(request)))).toEqual(unordered(['POST /ask', ...host.tree]));
      expect(request.filter(({ kind }) => kind === SERVER)).toHaveLength(1);
      const ours = request.filter(({ scope }) => scope.name === 'binnacle');
      expect(ours.map(({ name }) => name).sort()).toEqual([...host.ours].sort());
      // A span of the host's instrumentations is not marked: its processors are its own.
      const marked = request.filter(({ attributes }) => attributes['session.id'] === 'runtimes');
      expect(marked.map(({ name }) => name).sort()).toEqual(
        ['POST /ask', ...host.ours.filter((name) => name !== 'POST /ask')].sort(),
      );
    });

    it('sends each context on once, as the one client span that there is', () => {
      const traceparents = (path: string) =>
        servers.upstream.headers.get(`${upstreamPath}${path}`)?.map(({ traceparent }) => traceparent);
      expect(traceparents('/fetch')).toEqual([traceparentOf(request, '/fetch')]);
      expect(chat).toBe(traceparentOf(request, '/chat/completions'));
      const carried = node.major === 20 && !host.sendsByNodeHttp ? undefined : traceparentOf(request, '/node-http');
      expect(traceparents('/node-http')).toEqual([carried]);
    });

    it('is what the lines say', () => {
      const lines = run.lines.filter(({ session_id }) => session_id === 'runtimes');
      expect(lines.map(({ message }) => message)).toContain('[runtimes] Request completed');
      expect(new Set(lines.map(({ trace_id }) => trace_id))).toEqual(new Set([request[0]?.traceId]));
      const ids = new Set(request.map(({ spanId }) => spanId));
      expect(lines.filter(({ span_id }) => !ids.has(String(span_id)))).toEqual([]);
    });

    it('takes nothing from the metrics', () => {
      const counted = run.metrics.matchAll(/^db_client_operation_duration_seconds_count\{(.*)\} (\d+)/gm);
      const counts = [...counted].map(([, labels = '', count]) => {
        const [system, operation] = ['db_system_name', 'db_operation_name'].map(
          (name) => new RegExp(`${name}="(\\w+)"`).exec(labels)?.[1],
        );
        return `${system} ${operation} ${count}`;
      });
      expect(counts).toEqual(
        expect.arrayContaining([
          ...['postgresql SELECT 1', 'postgresql BEGIN 1', 'postgresql INSERT 1', 'postgresql COMMIT 1'],
          'redis GET 2',
        ]),
      );
    });

    it('hears of a client that went away before its span ends', () => {
      const left = traceOf(run.hosts, '/wait').filter(({ kind }) => kind === SERVER);
      expect(left).toHaveLength(1);
      expect(left[0]?.attributes).toMatchObject({ 'session.id': 'left', 'error.type': 'client_disconnect' });
      expect(left[0]?.events.map(({ name }) => name)).toContain('client_disconnect');
    });
  });
}

/** Asks once, then leaves a request in its middle. */
function runHost(node: string, host: Host, upstreamPath: string): Promise<Run> {
  return runOnce({
    node,
    args: host.args,
    folder: forms.folder,
    env: { ...servers.env, UPSTREAM_URL: servers.upstream.url + upstreamPath, ...host.env },
    async also(url, output) {
      // Not by `fetch`, which opens another connection when it has lost one: the service's close would wait for that.
      const leaving = get(`${url}/wait`, { agent: false }).on('error', () => {});
      await until('the request waits', () => servers.upstream.headers.has(`${upstreamPath}/waiting`));
      leaving.destroy();
      await until('its line is written', () => output.some((line) => line.includes('[left] Request completed')));
    },
  });
}

/** The trace of the request to a path. */
function traceOf(spans: readonly ReceivedSpan[], path: string): ReceivedSpan[] {
  const root = spans.find(({ kind, attributes }) => kind === SERVER && attributes['url.path'] === path);
  return spans.filter(({ traceId }) => traceId === root?.traceId);
}

function traceparentOf(spans: readonly ReceivedSpan[], path: string): string {
  const found = spans.filter(
    ({ kind, attributes }) => kind === CLIENT && String(attributes['url.full']).endsWith(path),
  );
  expect(found).toHaveLength(1);
  return `00-${found[0]?.traceId}-${found[0]?.spanId}-01`;
}
