import { ROOT_CONTEXT, SpanKind, TraceFlags, trace } from '@opentelemetry/api';
import { SamplingDecision } from '@opentelemetry/sdk-trace';
import { expect, test } from 'vitest';
import type { SamplerName } from '../settings-otel.ts';
import { createSampler } from './sampler.ts';

const LOW = '00000001000000000000000000000000';
const HIGH = 'fffffffe000000000000000000000000';
const SPAN = 'b7ad6b7169203331';

/** What becomes of a span: with no parent (low and high trace id), a sampled and an unsampled one, remote and local. */
function decide(name: SamplerName, ratio = 1): string {
  const sampler = createSampler({ name, ratio });
  const parents = [true, false].flatMap((isRemote) =>
    [TraceFlags.SAMPLED, TraceFlags.NONE].map((traceFlags) =>
      trace.setSpanContext(ROOT_CONTEXT, { traceId: HIGH, spanId: SPAN, traceFlags, isRemote }),
    ),
  );
  return [
    sampler.shouldSample(ROOT_CONTEXT, LOW, 'x', SpanKind.SERVER, {}, []),
    sampler.shouldSample(ROOT_CONTEXT, HIGH, 'x', SpanKind.SERVER, {}, []),
    ...parents.map((parent) => sampler.shouldSample(parent, HIGH, 'x', SpanKind.SERVER, {}, [])),
  ]
    .map(({ decision }) => (decision === SamplingDecision.RECORD_AND_SAMPLED ? '+' : '-'))
    .join('');
}

test.each([
  ['always_on', 1, '++++++'],
  ['always_off', 1, '------'],
  ['traceidratio', 1, '++++++'],
  ['traceidratio', 0.5, '+-----'],
  ['traceidratio', 0, '------'],
  ['parentbased_always_on', 1, '+++-+-'],
  ['parentbased_always_off', 1, '--+-+-'],
  ['parentbased_traceidratio', 0.5, '+-+-+-'],
  ['parentbased_traceidratio', 0, '--+-+-'],
] as const)('%s with %d', (name, ratio, decisions) => {
  expect(decide(name, ratio)).toBe(decisions);
});
