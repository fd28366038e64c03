/** What the tests of all clients share: an observed SDK against a replay, and what was told of its calls. */
import { ROOT_CONTEXT } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { createSignals, type TestSignals } from '../../../test/signals.ts';
import { until } from '../../../test/until.ts';
import { type Carrier, runInScope } from '../../context.ts';
import { type Ai, type AiOptions, createAi } from '../ai.ts';
import { joinOrStart } from '../joined.ts';
import { type AiClientKind, createAiClients, type ObserveAiClient } from './client.ts';

const OPTIONS: AiOptions = {
  capture: 'none',
  redact: (value) => value,
  countTokens: (text) => text.length,
  olderNames: false,
  prices: undefined,
};

export interface Observed {
  readonly signals: TestSignals;
  readonly ai: Ai;
  /** Observes another client beside it. */
  readonly observe: ObserveAiClient;
  /** Runs work as the request of a client that may go away. */
  request<T>(work: () => T): T;
  /** The client goes away. */
  leave(): void;
  /** Attributes, status and name of the one span that ended. */
  told(): { readonly name: string; readonly status: number; readonly attributes: Readonly<Record<string, unknown>> };
  /** Calls by status: success, error, cancelled. */
  calls(model: string): Promise<(number | undefined)[]>;
}

/** Observes a client of one kind. The clock is real: the SDKs' timers are. */
export function observeClient(client: object, kinds: readonly AiClientKind[]): Observed {
  const signals = createSignals({ clock: { now: () => performance.now(), wall: () => Date.now() } });
  const ai = createAi(signals, OPTIONS);
  const observe = createAiClients(joinOrStart(ai.start, true), kinds);
  observe(client);
  const controller = new AbortController();
  const carrier: Carrier = { signal: controller.signal, closing: {}, declare() {}, whenSettled() {} };
  const scope = { request: { requestId: 'r', sessionId: 's-1', carrier }, otel: ROOT_CONTEXT };
  return {
    signals,
    ai,
    observe,
    request: (work) => runInScope(scope, work),
    leave: () => controller.abort(Object.assign(new Error('the client went away'), { name: 'AbortError' })),
    told() {
      const ended = signals.ended();
      const [span] = ended;
      if (span === undefined || ended.length > 1) throw new Error(`${ended.length} operations ended, not one`);
      return { name: span.name, status: span.status.code, attributes: span.attributes };
    },
    calls: (model) =>
      Promise.all(
        ['success', 'error', 'cancelled'].map((status) =>
          signals.value(`llm_calls_total{model="${model}",status="${status}"}`),
        ),
      ),
  };
}

/** All items of a stream; what it ends with, where that is an error. */
export async function collect<T>(stream: AsyncIterable<T>): Promise<{ items: T[]; error?: unknown }> {
  const items: T[] = [];
  try {
    for await (const item of stream) items.push(item);
    return { items };
  } catch (error) {
    return { items, error };
  }
}

/** Text cut into pieces at these places, whatever lines and characters they fall into. */
export function cutAt(text: string, places: readonly number[]): Uint8Array[] {
  const bytes = Buffer.from(text);
  const ends = [...new Set(places.map((place) => place % bytes.length))].sort((a, b) => a - b);
  return [0, ...ends]
    .map((start, i) => bytes.subarray(start, ends[i] ?? bytes.length))
    .filter(({ length }) => length > 0);
}

/** The statuses of HTTP attempts that are children of the one operation of a name, in their order; waits for so many. */
export async function attemptsOf({ signals }: Observed, name: string, count: number): Promise<unknown[]> {
  const attempts = (): ReadableSpan[] => signals.ended().filter((span) => span.name === 'POST');
  await until(() => attempts().length >= count && signals.ended().some((span) => span.name === name));
  const [operation, ...more] = signals.ended().filter((span) => span.name === name);
  if (operation === undefined || more.length > 0) throw new Error(`not one ${name}`);
  const { spanId } = operation.spanContext();
  return attempts()
    .filter(({ parentSpanContext }) => parentSpanContext?.spanId === spanId)
    .sort((a, b) => a.startTime[0] - b.startTime[0] || a.startTime[1] - b.startTime[1])
    .map(({ attributes }) => attributes['http.response.status_code']);
}
