import { ROOT_CONTEXT, SpanKind } from '@opentelemetry/api';
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace';
import { expect, test } from 'vitest';
import { type RequestInHand, runInScope } from '../context.ts';
import { createMemoryFaults, createMemoryRecorder, otelSettings } from './testing-spans.test-helper.ts';
import { createTraces } from './tracer.ts';

test('a span that starts within a session is marked with its id, whoever starts it', async () => {
  const exporter = new InMemorySpanExporter();
  const { faults, write } = createMemoryFaults();
  const traces = createTraces({
    settings: otelSettings({}),
    service: 's',
    version: '1',
    environment: 'test',
    faults,
    recorder: createMemoryRecorder(),
    log: write,
    exporter,
  });
  const request: RequestInHand = { requestId: 'r1' };
  runInScope({ request, otel: ROOT_CONTEXT }, () => {
    traces.tracer.startSpan('before').end();
    request.sessionId = 's1';
    traces.tracer.startSpan('the user’s').end();
    traces.spans.start('phase x', SpanKind.INTERNAL, { a: 1 }, ROOT_CONTEXT).end();
  });
  await traces.flush();
  const marks = exporter.getFinishedSpans().map(({ name, attributes }) => [name, attributes['session.id']]);
  expect(marks).toEqual([
    ['before', undefined],
    ['the user’s', 's1'],
    ['phase x', 's1'],
  ]);
  await traces.close(100);
});
