/** What a careful team writes by hand: two hooks, one histogram, one line and one span a request. */
import process from 'node:process';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import Fastify from 'fastify';
import pino from 'pino';
import { collectDefaultMetrics, Histogram, register } from 'prom-client';
import { serve } from './serve.mjs';

collectDefaultMetrics();
const duration = new Histogram({
  name: 'http_server_request_duration_seconds',
  help: 'Duration of HTTP requests',
  labelNames: ['http_request_method', 'http_route', 'http_response_status_code'],
  buckets: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
});
const provider = new BasicTracerProvider({
  resource: resourceFromAttributes({ 'service.name': process.env.OTEL_SERVICE_NAME ?? 'bench' }),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
});
const tracer = provider.getTracer('hand');
const log = pino();
const app = Fastify({ logger: false });

app.decorateRequest('span', null);
app.decorateRequest('startedAt', 0);

app.addHook('onRequest', (request, _reply, done) => {
  request.startedAt = performance.now();
  const { url: route } = request.routeOptions;
  if (route !== '/metrics') {
    request.span = tracer.startSpan(`${request.method} ${route}`, {
      kind: SpanKind.SERVER,
      attributes: { 'http.request.method': request.method, 'http.route': route, 'url.path': request.url },
    });
  }
  done();
});

app.addHook('onResponse', (request, reply, done) => {
  const { span } = request;
  if (span === null) {
    done();
    return;
  }
  const ms = performance.now() - request.startedAt;
  const { method } = request;
  const route = request.routeOptions.url;
  const status = reply.statusCode;
  duration.observe({ http_request_method: method, http_route: route, http_response_status_code: status }, ms / 1000);
  span.setAttribute('http.response.status_code', status);
  if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
  const { traceId, spanId } = span.spanContext();
  log.info(
    { request_id: request.id, trace_id: traceId, span_id: spanId, method, route, http_status: status, duration_ms: ms },
    'request completed',
  );
  done();
});

app.get('/metrics', async (_request, reply) => reply.type(register.contentType).send(await register.metrics()));

await serve(app, () => provider.shutdown());
