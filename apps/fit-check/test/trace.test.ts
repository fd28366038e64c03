/** One request is one trace: from the socket to the database, Redis, the search and the LLM. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type OtlpReceiver,
  type ReceivedSpan,
  startOtlpReceiver,
} from '../../../packages/binnacle/test/otlp/receiver.ts';
import { BACKINGS, type Backing, type Parts, titleOf } from './backings.ts';
import { ask } from './events.ts';
import { type Service, startService } from './service.ts';
import { printTree, shapeOf, strangersOf, type TraceNode, toTree } from './trace-tree.ts';
import { until } from './until.ts';

const [SERVER, CLIENT] = [2, 3];

interface Run {
  readonly service: Service;
  readonly tree: TraceNode;
  readonly spans: readonly ReceivedSpan[];
  readonly receiver: OtlpReceiver;
}

for (const backing of BACKINGS) {
  describe.skipIf(backing.skipped !== undefined)(`the trace of a request ${titleOf(backing)}`, () => {
    const run = useTrace(backing);

    it('is one tree without orphan or duplicate', () => {
      const { tree } = run();
      process.stdout.write(`\n${printTree(tree)}\n\n`);
      expect(tree.span.kind).toBe(SERVER);
      expect(tree.span.name).toBe('POST /api/fit-check/stream');
    });

    it('nests phases, breakers, caches and calls as they happened', () => {
      const shape = JSON.stringify(shapeOf(run().tree));
      expect(shape).toContain('["phase connecting",["cache analysis"');
      expect(shape).toContain('"phase deep_research"');
      expect(shape).toContain('["cache search"');
      expect(shape).toMatch(new RegExp(`\\["phase verdict",\\["breaker llm",\\["chat ${backing.model}"`));
      expect(clients(run().spans)).toEqual(expect.arrayContaining([...expectedClients(backing)]));
    });

    it('has attributes of the conventions, and no values, queries or keys', () => {
      const { spans } = run();
      expect(strangersOf(spans)).toEqual([]);
      const text = JSON.stringify(spans);
      for (const secret of ['marker-5521', 'fit-secret', 'q=']) expect(text).not.toContain(secret);
      // The first statement takes the id, over all instances: there is no session before.
      const before = clients(spans).indexOf('INSERT sessions');
      const claim = spans.filter(({ kind }) => kind === CLIENT)[before];
      for (const span of spans) if (span !== claim) expect(span.attributes['session.id']).toBe('trace-test');
      const root = spans.find(({ kind }) => kind === SERVER);
      expect(root?.events.map(({ name }) => name)).toEqual(['first_byte']);
      expect(root?.attributes).toMatchObject({
        'http.response.status_code': 200,
        'http.route': '/api/fit-check/stream',
      });
    });

    // The embedded analyst is asked without an SDK.
    if (backing.provider !== 'embedded')
      it('tells of the answer what the SDK told', () => expectTold(run().spans, backing));

    it('is what the lines of the request say, and the exemplars of its histograms', async () => {
      const { service, tree, spans } = run();
      const lines = service.lines().filter((line) => line.session_id === 'trace-test');
      expect(new Set(lines.map((line) => line.trace_id))).toEqual(new Set([tree.span.traceId]));
      const ids = new Set(spans.map(({ spanId }) => spanId));
      expect(lines.filter((line) => !ids.has(String(line.span_id)))).toEqual([]);
      const response = await fetch(`${service.url}/metrics`, { headers: { accept: 'application/openmetrics-text' } });
      const text = await response.text();
      for (const metric of [
        'http_server_request_duration_seconds',
        'fit_check_request_duration_seconds',
        'fit_check_phase_duration_seconds',
        'gen_ai_client_operation_duration_seconds',
        'db_client_operation_duration_seconds',
      ]) {
        const found = new RegExp(`^${metric}_bucket\\S* \\d+ # \\{trace_id="(\\w+)",span_id="(\\w+)"\\}`, 'm').exec(
          text,
        );
        expect.soft([metric, found?.[1], ids.has(found?.[2] ?? '')]).toEqual([metric, tree.span.traceId, true]);
      }
    });

    it('no other trace came: health checks and leases leave none', async () => {
      const { receiver, tree } = run();
      expect(receiver.spans.filter(({ traceId }) => traceId !== tree.span.traceId).map(({ name }) => name)).toEqual([]);
    });
  });
}

function expectTold(spans: readonly ReceivedSpan[], { provider, model }: Backing): void {
  const chat = spans.find(({ name }) => name === `chat ${model}`);
  expect(chat?.attributes).toMatchObject({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': provider,
    'gen_ai.request.model': model,
    'gen_ai.response.model': model,
    'gen_ai.response.id': 'chatcmpl-1',
    'gen_ai.response.finish_reasons': ['stop'],
    'gen_ai.usage.input_tokens': 120,
    'gen_ai.usage.output_tokens': 8,
    'gen_ai.response.time_to_first_chunk': expect.any(Number),
    'binnacle.ai.input.length': expect.any(Number),
    'binnacle.ai.output.length': expect.any(Number),
  });
}

function useTrace(backing: Backing): () => Run {
  let parts: Parts | undefined;
  let run: Run | undefined;
  beforeAll(async () => {
    parts = await backing.start();
    const { env } = await parts.fresh();
    const receiver = await startOtlpReceiver();
    const service = await startService({
      ...env,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_BSP_SCHEDULE_DELAY: '200',
      HEALTH_INTERVAL_MS: '200',
      SESSION_LEASE_MS: '1000',
    });
    await ask(service.url, { query: 'Kubernetes engineer marker-5521', session_id: 'trace-test' });
    const spans = await until('the root span came', () => {
      const root = receiver.spans.find(({ kind }) => kind === SERVER);
      return root && receiver.spans.filter(({ traceId }) => traceId === root.traceId);
    });
    run = { service, receiver, spans, tree: toTree(spans) };
  });
  afterAll(async () => {
    await run?.service.stop();
    await run?.receiver.close();
    await parts?.close();
  });
  return () => {
    if (run === undefined) throw new Error('the service has not been started');
    return run;
  };
}

function clients(spans: readonly ReceivedSpan[]): string[] {
  return spans.filter(({ kind }) => kind === CLIENT).map(({ name }) => name);
}

function expectedClients(backing: Backing): readonly string[] {
  if (backing.provider === 'embedded') return ['INSERT sessions'];
  return ['INSERT sessions', 'GET', 'POST', 'chat double-1'];
}
