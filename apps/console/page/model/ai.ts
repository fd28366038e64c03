/** Calls of language models, as their spans tell of them. */
import { type Ending, endingOf, kindOf, numberOf, textOf } from './kind.ts';
import { quantileOf } from './quantile.ts';
import type { Attribute, SpanRecord } from './wire.ts';

export interface AiCall {
  readonly span: SpanRecord;
  readonly model: string;
  readonly provider: string;
  readonly operation: string;
  readonly start: number;
  readonly duration: number;
  /** After the start, in milliseconds. */
  readonly firstChunk?: number;
  readonly input?: number;
  readonly output?: number;
  /** US dollars. */
  readonly cost?: number;
  /** Output tokens a second, from the first chunk to the last; of the whole time where it was not streamed. */
  readonly tokensPerSecond?: number;
  readonly ending: Ending;
  readonly finishReasons: readonly string[];
}

/** What asks a model; tools, agents and workflows stand around it and would count twice. */
const AROUND = new Set<Attribute | undefined>(['execute_tool', 'invoke_agent', 'create_agent', 'invoke_workflow']);

/** Undefined of a span that is no call of a model. */
export function callOf(span: SpanRecord): AiCall | undefined {
  const { attributes: a } = span;
  if (kindOf(span) !== 'ai' || AROUND.has(a['gen_ai.operation.name'])) return undefined;
  const first = numberOf(a['gen_ai.response.time_to_first_chunk']);
  const firstChunk = first === undefined ? undefined : first * 1000;
  const output = numberOf(a['gen_ai.usage.output_tokens']);
  const seconds = (span.duration - (firstChunk ?? 0)) / 1000;
  const reasons = a['gen_ai.response.finish_reasons'];
  return {
    span,
    model: textOf(a['gen_ai.response.model'] ?? a['gen_ai.request.model']) ?? '(unknown model)',
    provider: textOf(a['gen_ai.provider.name'] ?? a['gen_ai.system']) ?? '',
    operation: textOf(a['gen_ai.operation.name']) ?? '',
    start: span.start,
    duration: span.duration,
    firstChunk,
    input: numberOf(a['gen_ai.usage.input_tokens']),
    output,
    cost: numberOf(a['binnacle.ai.cost_usd']),
    tokensPerSecond: output !== undefined && output > 0 && seconds > 0.001 ? output / seconds : undefined,
    ending: endingOf(span),
    finishReasons: Array.isArray(reasons) ? reasons.map(String) : [],
  };
}

export interface ModelSummary {
  readonly model: string;
  readonly provider: string;
  readonly calls: number;
  readonly endings: Readonly<Record<Ending, number>>;
  readonly input: number;
  readonly output: number;
  /** Undefined where no call has a price. */
  readonly cost: number | undefined;
  /** Median and 95th percentile, in milliseconds; NaN where nothing was streamed. */
  readonly firstChunk: readonly [median: number, high: number];
  readonly duration: readonly [median: number, high: number];
  readonly tokensPerSecond: number;
}

/** By model and provider, the one with most calls first. */
export function byModel(calls: readonly AiCall[]): ModelSummary[] {
  const groups = new Map<string, AiCall[]>();
  for (const call of calls) {
    const key = `${call.model}\0${call.provider}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [call]);
    else group.push(call);
  }
  return [...groups.values()].map(summarize).sort((one, other) => other.calls - one.calls);
}

function summarize(calls: readonly AiCall[]): ModelSummary {
  const [first] = calls as readonly [AiCall, ...AiCall[]];
  const endings = { success: 0, error: 0, timeout: 0, cancelled: 0 };
  for (const { ending } of calls) endings[ending] += 1;
  const known = (pick: (call: AiCall) => number | undefined): number[] =>
    calls.map(pick).filter((value) => value !== undefined);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const costs = known(({ cost }) => cost);
  const chunks = known(({ firstChunk }) => firstChunk);
  const durations = known(({ duration }) => duration);
  return {
    model: first.model,
    provider: first.provider,
    calls: calls.length,
    endings,
    input: sum(known(({ input }) => input)),
    output: sum(known(({ output }) => output)),
    cost: costs.length === 0 ? undefined : sum(costs),
    firstChunk: [quantileOf(0.5, chunks), quantileOf(0.95, chunks)],
    duration: [quantileOf(0.5, durations), quantileOf(0.95, durations)],
    tokensPerSecond: quantileOf(
      0.5,
      known(({ tokensPerSecond }) => tokensPerSecond),
    ),
  };
}

/** What a call's chunks say of its pace; all in milliseconds. */
export interface ChunkPace {
  readonly count: number;
  readonly first: number;
  readonly last: number;
  readonly medianGap: number;
  readonly longestGap: number;
  /** When the longest gap began. */
  readonly longestAt: number;
}

export function paceOf(times: readonly number[]): ChunkPace | undefined {
  const [first] = times;
  const last = times.at(-1);
  if (first === undefined || last === undefined) return undefined;
  let longestGap = 0;
  let longestAt = first;
  const gaps: number[] = [];
  for (let at = 1; at < times.length; at += 1) {
    const before = times[at - 1] as number;
    const gap = (times[at] as number) - before;
    gaps.push(gap);
    if (gap > longestGap) [longestGap, longestAt] = [gap, before];
  }
  return { count: times.length, first, last, medianGap: quantileOf(0.5, gaps), longestGap, longestAt };
}
