/** What is told of AI operations over a replayed provider: for SDKs that tell of themselves. */
import { ROOT_CONTEXT } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { afterEach } from 'vitest';
import { createSignals, type TestSignals } from '../../../test/signals.ts';
import { type Replay, startReplay, type WireAnswer } from '../../../test/wire/replay.ts';
import { type Carrier, runInScope } from '../../context.ts';
import { type Ai, createAi } from '../ai.ts';
import type { StartOperation } from '../operation.ts';

/** In prompts, answers, tools' arguments, errors and the key. */
export const MARKER = 'marker-7781';
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

export interface Told {
  readonly signals: TestSignals;
  readonly ai: Ai;
  readonly start: StartOperation;
  readonly replay: Replay;
  /** What ended, each below its parent, with its error. */
  tree(): string[];
  span(name: string): ReadableSpan | undefined;
  /** Calls of a model that ended well, in an error, cancelled. */
  calls(model?: string): Promise<(number | undefined)[]>;
  /** Tokens that were counted of all models. */
  tokens(type: 'input' | 'output'): Promise<number>;
  /** Operations that have begun, and not ended. */
  open(): number;
  /** Everything that left. */
  everything(): Promise<string>;
  /** Runs work as the request of a client that may go away. */
  request<T>(work: () => T): T;
  /** What that request's work is given. */
  readonly signal: AbortSignal;
  /** The client goes away. */
  leave(): void;
  /** Its request is over. */
  settle(): void;
}

export async function tellOf(...answers: readonly WireAnswer[]): Promise<Told> {
  const replay = await startReplay(...answers);
  closers.push(replay.close);
  const made = createSignals({ clock: { now: () => performance.now(), wall: () => Date.now() } });
  let started = 0;
  const spans: TestSignals['spans'] = {
    ...made.spans,
    start: (...given) => {
      started += 1;
      return made.spans.start(...given);
    },
  };
  const signals: TestSignals = { ...made, spans };
  const ai = createAi(signals, {
    ...{ capture: 'none', redact: (value) => value, countTokens: undefined, olderNames: false, prices: undefined },
  });
  const pathOf = (span: ReadableSpan): string => {
    const parent = signals.ended().find((each) => each.spanContext().spanId === span.parentSpanContext?.spanId);
    const own = [span.name, span.attributes['error.type']].filter(Boolean).join(' ! ');
    return parent === undefined ? own : `${pathOf(parent)} > ${own}`;
  };
  return {
    signals,
    ai,
    start: ai.start,
    replay,
    tree: () => signals.ended().map(pathOf).sort(),
    span: (name) => signals.ended().find((each) => each.name === name),
    calls: (model = 'gpt-4o') =>
      Promise.all(
        ['success', 'error', 'cancelled'].map((s) => signals.value(`llm_calls_total{model="${model}",status="${s}"}`)),
      ),
    tokens: async (type) => {
      const lines = (await signals.scrape())
        .split('\n')
        .filter((line) => line.startsWith('gen_ai_client_token_usage_sum'));
      return lines
        .filter((line) => line.includes(`gen_ai_token_type="${type}"`))
        .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    },
    open: () => started - signals.ended().length,
    everything: async () =>
      JSON.stringify([
        signals.ended().map(({ name, attributes, events, status }) => ({ name, attributes, events, status })),
        signals.lines,
        await signals.scrape(),
      ]),
    ...requestOf(),
  };
}

function requestOf(): Pick<Told, 'request' | 'signal' | 'leave' | 'settle'> {
  const controller = new AbortController();
  const settled: Parameters<Carrier['whenSettled']>[0][] = [];
  let isOver = false;
  const tell = (listener: (typeof settled)[number]): void =>
    listener({ outcome: 'success', errorType: '', durationMs: 1 });
  const carrier: Carrier = {
    signal: controller.signal,
    closing: {},
    declare() {},
    whenSettled: (listener) => void (isOver ? tell(listener) : settled.push(listener)),
  };
  return {
    request: (work) => runInScope({ request: { requestId: 'r', sessionId: 's-1', carrier }, otel: ROOT_CONTEXT }, work),
    signal: controller.signal,
    leave: () => controller.abort(Object.assign(new Error('the client went away'), { name: 'AbortError' })),
    settle: () => {
      isOver = true;
      settled.forEach(tell);
    },
  };
}

/** The middle one: a machine that is busy for a moment holds up single ones. */
export function middleOf(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
