/** A service on OpenTelemetry's public SDK for JavaScript, which asks another one and sends where its environment says. */
import process from 'node:process';
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';

const [, , asked, name] = process.argv;
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'shop' }),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
});
provider.register();
const tracer = trace.getTracer('shop');

await tracer.startActiveSpan(name, { kind: SpanKind.SERVER }, async (order) => {
  await tracer.startActiveSpan('GET', { kind: SpanKind.CLIENT }, async (call) => {
    const headers = {};
    propagation.inject(context.active(), headers);
    const { status } = await fetch(asked, { headers });
    call.setAttribute('http.response.status_code', status);
    call.end();
  });
  order.setStatus({ code: SpanStatusCode.ERROR, message: name });
  order.end();
  process.stdout.write(order.spanContext().traceId);
});
await provider.shutdown();
