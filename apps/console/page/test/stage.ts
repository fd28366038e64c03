/** Feeders for every state of the page, and what is on them. */
import {
  hasChromium,
  LONGEST_MS,
  openTab,
  startChromium,
  type Tab,
  WITHOUT_CHROMIUM,
} from '../../../fit-check/page/test/chromium.ts';
import { type Feeder, startFeeder } from './feeder.ts';
import { type Sample, sample, telemetryAt } from './sample.ts';
import type { Feeding } from './states.ts';

export { hasChromium, LONGEST_MS, openTab, startChromium, type Tab, WITHOUT_CHROMIUM };

export interface Stage {
  readonly sample: Sample;
  /** A streamed request that called a model and ended well, and that call. */
  readonly trace: { readonly id: string; readonly ai: string };
  feeder(feeding: Feeding): Feeder;
  close(): Promise<void>;
}

/** @param still a moment that the service takes for now, for pictures */
export async function startStage(still?: number): Promise<Stage> {
  const all = sample(still ?? Date.now());
  const hello = still === undefined ? {} : { now: still };
  const [full, empty, standalone, token, gone, refused] = await Promise.all([
    startFeeder({ events: all.events, hello }),
    startFeeder({ hello }),
    startFeeder({
      events: [['telemetry', telemetryAt(all.now)]],
      hello: { ...hello, mode: 'standalone', service: 'console' },
    }),
    startFeeder({ token: 'the token' }),
    startFeeder({ events: all.events, hello }),
    startFeeder(),
  ]);
  gone.answer(500);
  refused.answer(404);
  const feeders: Readonly<Record<Feeding, Feeder>> = { full, empty, standalone, token, gone, refused };
  return {
    sample: all,
    trace: goodTrace(all),
    feeder: (feeding) => feeders[feeding],
    close: async () => {
      await Promise.all(Object.values(feeders).map((feeder) => feeder.close()));
    },
  };
}

function goodTrace({ requests }: Sample): { id: string; ai: string } {
  for (const { spans } of requests.toReversed()) {
    const ai = spans.find(({ attributes }) => attributes['gen_ai.response.model'] === 'gpt-4.1-mini');
    if (ai !== undefined && spans.every(({ attributes }) => attributes['error.type'] === undefined))
      return { id: ai.traceId, ai: ai.spanId };
  }
  throw new Error('The sample has no such trace');
}
