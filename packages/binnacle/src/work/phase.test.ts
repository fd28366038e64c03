import { ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import { createSignals, type TestSignals } from '../../test/signals.ts';
import { currentScope, runWith } from '../context.ts';
import { type Phase, runPhase } from './phase.ts';

function setUp() {
  const signals = createSignals();
  const ended: number[] = [];
  const run = <T>(name: string, work: (phase: Phase) => T | Promise<T>): Promise<T> =>
    runPhase({ signals, logger: 'svc', sessionId: 's1', name, onEnd: (ms) => void ended.push(ms) }, work);
  return { signals, ended, run };
}

async function counted({ value }: TestSignals, phase: string) {
  return {
    success: await value(`phase_completions_total{phase="${phase}",status="success"}`),
    error: await value(`phase_completions_total{phase="${phase}",status="error"}`),
    seconds: await value(`phase_duration_seconds_sum{phase="${phase}"}`),
  };
}

const messages = ({ lines }: TestSignals) => lines.map(({ level, message }) => `${level} ${message}`);

test('a phase is a span, two lines with its duration, a count and a time', async () => {
  const { signals, ended, run } = setUp();
  const value = await run('deep_research', async (phase) => {
    expect([phase.name, currentScope()?.phase]).toEqual(['deep_research', 'deep_research']);
    signals.clock.advance(452);
    await null;
    return 'found';
  });
  expect(value).toBe('found');
  expect(ended).toEqual([452]);
  expect(await counted(signals, 'deep_research')).toEqual({ success: 1, error: undefined, seconds: 0.452 });
  expect(messages(signals)).toEqual([
    'INFO [s1] Phase started: deep_research',
    'INFO [s1] Phase completed: deep_research (0.45s)',
  ]);
  expect(signals.lines.map(({ fields }) => fields)).toEqual([
    { phase: 'deep_research' },
    { phase: 'deep_research', duration_ms: 452 },
  ]);
  expect(signals.lines.map(({ scope }) => scope?.phase)).toEqual(['deep_research', 'deep_research']);
  const [span] = signals.ended();
  expect(span?.name).toBe('phase deep_research');
  expect(span?.attributes).toEqual({ 'binnacle.phase': 'deep_research' });
  expect(span?.status.code).toBe(SpanStatusCode.UNSET);
});

test('end() ends it before its work does, once, and later failures change nothing', async () => {
  const { signals, ended, run } = setUp();
  const failure = new Error('later');
  await expect(
    run('p', (phase) => {
      signals.clock.advance(10);
      expect(phase.end()).toBe(10);
      signals.clock.advance(90);
      expect(phase.end()).toBe(10);
      throw failure;
    }),
  ).rejects.toBe(failure);
  expect(ended).toEqual([10]);
  expect(await counted(signals, 'p')).toEqual({ success: 1, error: undefined, seconds: 0.01 });
  expect(signals.ended()).toHaveLength(1);
});

test('no phase took no time', async () => {
  const { ended, run } = setUp();
  await run('p', () => {});
  expect(ended).toEqual([0.001]);
});

test('a failure is an error in count, line and span', async () => {
  const { signals, run } = setUp();
  const failure = Object.assign(new Error('down'), { code: 'ECONNREFUSED' });
  for (const work of [
    () => Promise.reject(failure),
    () => {
      throw failure;
    },
  ])
    await expect(run('p', work)).rejects.toBe(failure);
  expect(await counted(signals, 'p')).toMatchObject({ success: undefined, error: 2 });
  expect(signals.lines[1]).toMatchObject({
    level: 'WARNING',
    message: '[s1] Phase failed: p (0.00s)',
    fields: {
      phase: 'p',
      duration_ms: 0.001,
      status: 'error',
      error_type: 'ECONNREFUSED',
      exception: { type: 'Error', code: 'ECONNREFUSED', stack: expect.stringContaining('phase.test.ts') },
    },
  });
  // What it says may hold what somebody asked: that is its host's to log.
  expect(JSON.stringify(signals.lines)).not.toContain('down');
  const [span] = signals.ended();
  expect([span?.status.code, span?.attributes['error.type']]).toEqual([SpanStatusCode.ERROR, 'ECONNREFUSED']);
});

test('cut short counts as an error, but nobody is to blame', async () => {
  const { signals, run } = setUp();
  const left = new DOMException('left', 'AbortError');
  await expect(run('p', () => Promise.reject(left))).rejects.toBe(left);
  expect(await counted(signals, 'p')).toMatchObject({ error: 1 });
  expect(signals.lines[1]).toMatchObject({
    level: 'INFO',
    message: '[s1] Phase cut short: p (0.00s)',
    fields: { status: 'cancelled' },
  });
  expect(signals.ended()[0]?.status.code).toBe(SpanStatusCode.UNSET);
});

test('spans nest: phase in phase, and in what was active', async () => {
  const { signals, run } = setUp();
  const outer = signals.tracer.startSpan('server');
  await runWith({ otel: trace.setSpan(ROOT_CONTEXT, outer) }, () =>
    run('a', () => run('b', () => signals.tracer.startSpan('work').end())),
  );
  outer.end();
  const spans = Object.fromEntries(signals.ended().map((span) => [span.name, span]));
  const parentOf = (name: string) => spans[name]?.parentSpanContext?.spanId;
  const idOf = (name: string) => spans[name]?.spanContext().spanId;
  expect(parentOf('work')).toBe(idOf('phase b'));
  expect(parentOf('phase b')).toBe(idOf('phase a'));
  expect(parentOf('phase a')).toBe(idOf('server'));
  expect(currentScope()).toBeUndefined();
});
