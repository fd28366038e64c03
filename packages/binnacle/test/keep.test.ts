/** `BINNACLE_KEEP` end to end: of requests that are not sampled, those that end badly arrive whole, and no others. */
import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { KeepReason } from '../src/settings-otel.ts';
import { sessionMark } from '../src/traces/session-mark.ts';
import { type LogLine, waitFor } from './behaviour/harness.ts';
import { type Asked, type Kind, type Run, startRun } from './keep/app.ts';
import type { ReceivedSpan } from './otlp/receiver.ts';
import { seriesValue } from './signals.ts';

const REQUESTS = 5000;
const REASONS: Readonly<Record<Kind, KeepReason | undefined>> = {
  ok: undefined,
  throw: 'error',
  unavailable: 'error',
  torn: 'error',
  slow: 'slow',
  left: 'abort',
};
const FAILURES: readonly Kind[] = ['throw', 'unavailable', 'torn'];
const SAMPLED = 1;

interface Ended extends Asked {
  readonly traceId: string;
  /** What the sampler, or the caller, decided. */
  readonly sampled: boolean;
  /** Its spans that arrived. */
  readonly spans: readonly ReceivedSpan[];
}

/** Of a hundred: two fail, one is slow or left, and some come from a caller that traces. */
function toAsked(at: number): Asked {
  const hex = (length: number): string => (at + 1).toString(16).padStart(6, '0').padStart(length, 'c');
  const turn = Math.floor(at / 50);
  const ending = (at % 50 === 0 && FAILURES[turn % 3]) || (at % 100 === 7 && (turn % 4 === 0 ? 'slow' : 'left'));
  // Among the failing too: 50 and 11 have no divisor in common, nor 100 and 13.
  const called = at % 11 === 3 || at % 13 === 7;
  return {
    id: `r-${at}`,
    kind: ending || 'ok',
    calls: at % 3 === 0,
    ...(called && { parent: { traceId: hex(32), spanId: hex(16), sampled: at % 13 === 7 } }),
  };
}

const ASKED = Array.from({ length: REQUESTS }, (_, at) => toAsked(at));

/** Every span of a request as `parent > name`. */
function edgesOf({ calls }: Asked): string[] {
  const server = 'GET /:kind';
  const call = calls ? ['phase work > GET'] : [];
  return [`- > ${server}`, `${server} > late`, `${server} > phase work`, 'phase work > user', ...call].sort();
}

/** The same of the spans that arrived. */
function edgesIn(spans: readonly ReceivedSpan[]): string[] {
  const names = new Map(spans.map(({ spanId, name }) => [spanId, name]));
  return spans.map(({ name, parentSpanId = '' }) => `${names.get(parentSpanId) ?? '-'} > ${name}`).sort();
}

const isClosing = ({ message }: LogLine): boolean => message.endsWith('Request completed');
const countSpans = (requests: readonly Asked[]): number => requests.flatMap(edgesOf).length;
const rootOf = ({ spans }: Ended): ReceivedSpan | undefined => spans.find(({ kind }) => kind === 2);

/** Asks them all, and waits until each has ended and what is to leave has left. */
async function askAll(run: Run, reasonOf: (asked: Asked) => KeepReason | undefined): Promise<readonly Ended[]> {
  await run.ask(ASKED);
  await waitFor(() => expect(run.lines.filter(isClosing)).toHaveLength(REQUESTS));
  const lines = new Map(run.lines.filter(isClosing).map((line) => [line.request_id, line]));
  const isSampled = ({ id }: Asked): boolean => lines.get(id)?.trace_flags === '01';
  const leaving = countSpans(ASKED.filter((asked) => isSampled(asked) || reasonOf(asked) !== undefined));
  await waitFor(async () =>
    expect(seriesValue(await run.metrics(), 'binnacle_spans_total{result="exported"}')).toBeGreaterThanOrEqual(leaving),
  );
  const byTrace = new Map<string, ReceivedSpan[]>();
  for (const span of run.receiver.spans) byTrace.set(span.traceId, [...(byTrace.get(span.traceId) ?? []), span]);
  return ASKED.map((asked) => {
    const traceId = String(lines.get(asked.id)?.trace_id);
    return { ...asked, traceId, sampled: isSampled(asked), spans: byTrace.get(traceId) ?? [] };
  });
}

interface Tried {
  readonly run: Run;
  readonly ended: readonly Ended[];
  readonly metrics: string;
  /** How many spans the span processors saw begin. */
  readonly recorded: number;
}

function useRun(
  env: Readonly<Record<string, string>>,
  reasonOf: (asked: Asked) => KeepReason | undefined,
): () => Tried {
  let tried: Tried | undefined;
  beforeAll(async () => {
    const processor = vi.spyOn(sessionMark, 'onStart');
    const run = await startRun(env);
    const ended = await askAll(run, reasonOf);
    tried = { run, ended, metrics: await run.metrics(), recorded: processor.mock.calls.length };
    processor.mockRestore();
    await run.close();
  });
  return () => tried as Tried;
}

/** What both runs are to have: the sampler's own decision, followed. */
function describeSampling(tried: () => Tried): void {
  test('the sampler decides as it would alone: about one in a hundred, and as the caller did', () => {
    const roots = tried().ended.filter(({ parent }) => parent === undefined);
    const share = roots.filter(({ sampled }) => sampled).length / roots.length;
    expect(share).toBeGreaterThan(0.002);
    expect(share).toBeLessThan(0.025);
    const called = tried().ended.filter(({ parent }) => parent !== undefined);
    expect(called.filter(({ parent, sampled }) => parent?.sampled !== sampled)).toEqual([]);
    expect(called.length).toBeGreaterThan(REQUESTS / 10);
  });

  test('what is sampled arrives whole, as usual', () => {
    const sampled = tried().ended.filter((one) => one.sampled);
    expect(sampled.filter((one) => edgesIn(one.spans).join() !== edgesOf(one).join())).toEqual([]);
    const spans = sampled.flatMap((one) => one.spans);
    expect(spans.filter(({ flags, attributes }) => (flags & SAMPLED) === 0 || 'binnacle.kept' in attributes)).toEqual(
      [],
    );
    for (const one of sampled) if (one.parent) expect(rootOf(one)?.parentSpanId).toBe(one.parent.spanId);
  });

  test('those that were called are told what was decided', () => {
    const { ended, run } = tried();
    const wrong = ended.filter(({ id, calls, sampled, traceId }) => {
      const [, trace, , flags] = run.sent.get(id)?.split('-') ?? [];
      return calls && (trace !== traceId || flags !== (sampled ? '01' : '00'));
    });
    expect(wrong).toEqual([]);
    expect(run.sent.size).toBe(ended.filter(({ calls }) => calls).length);
  });

  test('all that left arrived, and nothing was dropped', () => {
    const { run, metrics } = tried();
    const counts = ['exported', 'dropped', 'failed'].map((result) =>
      seriesValue(metrics, `binnacle_spans_total{result="${result}"}`),
    );
    expect(counts).toEqual([run.receiver.spans.length, 0, 0]);
  });
}

describe('kept: error, slow, abort', () => {
  const tried = useRun({ BINNACLE_KEEP: 'error,slow,abort' }, ({ kind }) => REASONS[kind]);
  const unsampled = (): readonly Ended[] => tried().ended.filter(({ sampled }) => !sampled);
  const kept = (): readonly Ended[] => unsampled().filter(({ kind }) => REASONS[kind] !== undefined);

  describeSampling(tried);

  test.each(Object.keys(REASONS) as Kind[])('%s: every span, those that end late too, or none', (kind) => {
    const all = unsampled().filter((one) => one.kind === kind);
    expect(all.length).toBeGreaterThan(20);
    const edges = (one: Ended): string => (REASONS[kind] === undefined ? '' : edgesOf(one).join());
    expect(all.filter((one) => edgesIn(one.spans).join() !== edges(one))).toEqual([]);
    const spans = all.flatMap((one) => one.spans);
    const wrong = spans.filter(
      ({ flags, attributes }) => (flags & SAMPLED) === 0 || attributes['binnacle.kept'] !== REASONS[kind],
    );
    expect(wrong).toEqual([]);
  });

  test('those of a caller that does not sample keep their place in its trace', () => {
    const called = kept().filter(({ parent }) => parent !== undefined);
    expect(called.length).toBeGreaterThan(5);
    for (const { parent, traceId, ...one } of called) {
      expect(traceId).toBe(parent?.traceId);
      expect(one.spans.filter(({ parentSpanId }) => parentSpanId === parent?.spanId).map(({ kind }) => kind)).toEqual([
        2,
      ]);
    }
  });

  test('those of a caller that samples are exported as usual, however they end', () => {
    const failed = tried().ended.filter(({ parent, kind }) => parent?.sampled && REASONS[kind] !== undefined);
    expect(failed.length).toBeGreaterThan(5);
    expect(failed.flatMap(({ spans }) => spans).filter(({ attributes }) => 'binnacle.kept' in attributes)).toEqual([]);
  });

  test('every trace and every span is counted, and the rest was let go', () => {
    const { metrics, run } = tried();
    for (const reason of ['error', 'slow', 'abort']) {
      const count = kept().filter(({ kind }) => REASONS[kind] === reason).length;
      expect([reason, seriesValue(metrics, `binnacle_traces_kept_total{reason="${reason}"}`)]).toEqual([reason, count]);
    }
    const marked = run.receiver.spans.filter(({ attributes }) => attributes['binnacle.kept'] !== undefined);
    expect(marked).toHaveLength(countSpans(kept()));
    expect(seriesValue(metrics, 'binnacle_spans_total{result="kept"}')).toBe(marked.length);
    const letGo = (why: string) => seriesValue(metrics, `binnacle_traces_let_go_total{why="${why}"}`);
    expect([letGo('ended_well'), letGo('overflow')]).toEqual([unsampled().length - kept().length, 0]);
  });

  test('nothing else arrived, and everything was recorded to that end', () => {
    const { run, ended, recorded } = tried();
    const known = ended.flatMap(({ spans }) => spans).length;
    expect(run.receiver.spans).toHaveLength(known);
    expect(recorded).toBe(countSpans(ASKED));
    expect([...run.recording.values()].filter((records) => !records)).toEqual([]);
  });
});

describe('not kept', () => {
  const tried = useRun({}, () => undefined);

  describeSampling(tried);

  test('nothing arrives of what is not sampled, and nothing is recorded of it', () => {
    const { ended, run, metrics, recorded } = tried();
    const sampled = ended.filter((one) => one.sampled);
    expect(run.receiver.spans).toHaveLength(countSpans(sampled));
    // A request's own span is never an object where nobody asks for one: it is written when it has ended.
    expect(recorded).toBe(countSpans(sampled) - sampled.length);
    expect(ended.filter(({ id, sampled }) => run.recording.get(id) !== sampled)).toEqual([]);
    expect(seriesValue(metrics, 'binnacle_spans_total{result="kept"}')).toBe(0);
    expect(metrics).not.toMatch(/^binnacle_traces_(kept|let_go)_total\{/m);
  });
});
