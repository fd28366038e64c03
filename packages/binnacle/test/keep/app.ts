/** What the requests of the keep tests meet: an app whose requests end in every way, and what it calls meanwhile. */
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { trace } from '@opentelemetry/api';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { fastifyOptions, observeFastify } from '../../src/adapters/fastify.ts';
import { currentRequest } from '../../src/context.ts';
import { type Observability, observe } from '../../src/observe.ts';
import { deferred, type LogLine } from '../behaviour/harness.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../otlp/receiver.ts';

/** Longer than any request takes by itself, however busy the machine. */
export const SLOW_MS = 2000;

/** How a request ends. */
export type Kind = 'ok' | 'throw' | 'unavailable' | 'torn' | 'slow' | 'left';

export interface Asked {
  readonly id: string;
  readonly kind: Kind;
  /** Asks another service meanwhile. */
  readonly calls: boolean;
  /** From a caller that traces: sampled, or not. */
  readonly parent?: { readonly traceId: string; readonly spanId: string; readonly sampled: boolean };
}

export interface Run {
  readonly obs: Observability;
  readonly receiver: OtlpReceiver;
  readonly lines: readonly LogLine[];
  /** `traceparent` as the other service got it, by the request's id. */
  readonly sent: ReadonlyMap<string, string>;
  /** Whether the span in hand records, by the request's id. */
  readonly recording: ReadonlyMap<string, boolean>;
  ask(asked: readonly Asked[]): Promise<void>;
  metrics(): Promise<string>;
  close(): Promise<void>;
}

const TOGETHER = 64;

/** Starts the app with a sampler of 1% and the settings given on top. */
export async function startRun(env: Readonly<Record<string, string>>): Promise<Run> {
  const receiver = await startOtlpReceiver();
  const lines: LogLine[] = [];
  const obs = observe({
    service: 'svc',
    destination: { write: (line) => void lines.push(JSON.parse(line)) },
    env: {
      ENVIRONMENT: 'test',
      LOG_FORMAT: 'json',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_BSP_SCHEDULE_DELAY: '50',
      OTEL_BSP_MAX_QUEUE_SIZE: '100000',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.01',
      BINNACLE_SLOW_MS: String(SLOW_MS),
      ...env,
    },
    // The test's own client is `node:http`; the app asks by `fetch`.
    clients: ['fetch'],
  });
  const other = await startOther();
  const recording = new Map<string, boolean>();
  const app = await startApp(obs, other.url, recording);
  const agent = new Agent({ keepAlive: true, maxSockets: TOGETHER });
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  return {
    obs,
    receiver,
    lines,
    recording,
    sent: other.sent,
    ask: async (asked) => void (await Promise.all(asked.map((one) => ask(url, agent, one)))),
    async metrics() {
      let text = '';
      for await (const chunk of obs.scrape().body) text += chunk;
      return text;
    },
    async close() {
      agent.destroy();
      await app.close();
      await obs.close();
      await other.close();
      await receiver.close();
    },
  };
}

async function startOther(): Promise<{ url: string; sent: ReadonlyMap<string, string>; close(): Promise<void> }> {
  const sent = new Map<string, string>();
  const server = createServer((req, res) => {
    sent.set(String(req.url).slice(1), String(req.headers.traceparent));
    res.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sent, close };
}

async function startApp(obs: Observability, other: string, recording: Map<string, boolean>): Promise<FastifyInstance> {
  const app = Fastify(fastifyOptions(obs)) as unknown as FastifyInstance;
  await app.register(observeFastify(obs));
  app.get('/:kind', (incoming, reply) =>
    obs.session({ id: `session-${incoming.id}` }, async (session) => {
      const { kind } = incoming.params as { kind: Kind };
      recording.set(incoming.id, trace.getActiveSpan()?.isRecording() === true);
      endLate();
      return session.phase('work', async () => {
        const calls = (incoming.query as { calls?: string }).calls === 'true';
        if (calls) await (await fetch(`${other}/${incoming.id}`)).text();
        return trace.getTracer('user').startActiveSpan('user', async (span) => {
          try {
            return await end(kind, reply);
          } finally {
            span.end();
          }
        });
      });
    }),
  );
  await app.listen({ port: 0, host: '127.0.0.1' });
  return app;
}

/** A span of the request that ends after its root: a write that nobody waits for. */
function endLate(): void {
  const span = trace.getTracer('user').startSpan('late');
  currentRequest()?.carrier?.whenSettled(() => setImmediate(() => setImmediate(() => span.end())));
}

async function end(kind: Kind, reply: FastifyReply): Promise<unknown> {
  if (kind === 'throw') throw new Error('told to fail');
  if (kind === 'unavailable') return reply.code(503).send({ error: {} });
  if (kind === 'torn') return reply.send(Readable.from(tear()));
  if (kind === 'slow') await wait(1.05 * SLOW_MS);
  if (kind !== 'left') return reply.send({});
  const gone = deferred();
  reply.hijack();
  reply.raw.once('close', () => gone.resolve());
  reply.raw.write('one');
  await gone.promise;
  return reply;
}

/** Fails once its headers and a piece have left. */
async function* tear(): AsyncGenerator<string> {
  yield 'one';
  await new Promise((resolve) => setImmediate(resolve));
  throw new Error('told to fail half-way');
}

/** Asks, and reads to the end, however it comes; `left` goes after the first piece. */
function ask(url: string, agent: Agent, { id, kind, calls, parent }: Asked): Promise<void> {
  const flags = parent?.sampled === true ? '01' : '00';
  const headers = {
    'x-request-id': id,
    ...(parent && { traceparent: `00-${parent.traceId}-${parent.spanId}-${flags}` }),
  };
  return new Promise((resolve, reject) => {
    const req = request(`${url}/${kind}?calls=${calls}`, { agent, headers }, (res) => {
      res.on('data', () => void (kind === 'left' && req.destroy()));
      res.once('error', () => {});
      res.once('close', () => resolve());
    });
    req.once('error', (error) => (req.destroyed ? resolve() : reject(error)));
    req.end();
  });
}
