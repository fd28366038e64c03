/** What a service runs that has OpenTelemetry's own SDK, before anything else: `--require`, as its documentation asks. */
import { FastifyOtelInstrumentation } from '@fastify/otel';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { RedisInstrumentation } from '@opentelemetry/instrumentation-redis';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';

const provider = new NodeTracerProvider({
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url: process.env.HOST_OTLP_URL }))],
});
provider.register();

const ALL = {
  http: () => new HttpInstrumentation(),
  undici: () => new UndiciInstrumentation(),
  pg: () => new PgInstrumentation(),
  ioredis: () => new IORedisInstrumentation(),
  redis: () => new RedisInstrumentation(),
  fastify: () => new FastifyOtelInstrumentation({ registerOnInitialization: true }),
};
const names = process.env.HOST_INSTRUMENTS?.split(',') ?? [];
registerInstrumentations({ instrumentations: names.map((name) => ALL[name as keyof typeof ALL]()) });
