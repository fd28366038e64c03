/** Requests while they run: read from what runs, and only while a page looks. */
import type { RequestInHand } from '../context.ts';
import { roundMs } from '../duration.ts';
import type { Clock, Running } from '../signals.ts';
import type { LiveMoment, LiveRequest } from './wire.ts';

/** Requests that are told of, and phases of one. */
const MOST = 200;
const MOST_PHASES = 64;
/** The two clocks are not read at once, and one counts whole milliseconds. */
const CLOCK_JITTER_MS = 5;
/** https://www.w3.org/TR/trace-context/#trace-id: a span that there is not. */
const NO_TRACE = /^0+$/;

interface Phase {
  readonly name: string;
  /** By the clock. */
  readonly startedAt: number;
  durationMs?: number;
}

/** Phases by the request that they are of. */
export class LivePhases {
  readonly #clock: Clock;
  readonly #phases = new WeakMap<RequestInHand, Phase[]>();
  /** What Unix time is ahead of the clock. */
  #ahead: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#ahead = clock.wall() - clock.now();
  }

  /** A time of the clock's as Unix milliseconds: the same at every telling, unless the wall clock was set. */
  wallOf(at: number): number {
    const ahead = this.#clock.wall() - this.#clock.now();
    if (Math.abs(ahead - this.#ahead) > CLOCK_JITTER_MS) this.#ahead = ahead;
    return Math.round(at + this.#ahead);
  }

  begin(request: RequestInHand, name: string, startedAt: number): (durationMs: number) => void {
    const known = this.#phases.get(request) ?? [];
    if (known.length === 0) this.#phases.set(request, known);
    const phase: Phase = { name, startedAt };
    if (known.length < MOST_PHASES) known.push(phase);
    return (durationMs) => {
      phase.durationMs = durationMs;
    };
  }

  of(request: RequestInHand): LiveRequest['phases'] {
    return (this.#phases.get(request) ?? []).map(({ name, startedAt, durationMs }) => ({
      name,
      start: this.wallOf(startedAt),
      ...(durationMs !== undefined && { duration: durationMs }),
    }));
  }
}

export function tellLive(running: readonly Running[], phases: LivePhases, clock: Clock): LiveMoment {
  const oldest = [...running].sort((a, b) => a.startedAt - b.startedAt).slice(0, MOST);
  return {
    time: clock.wall(),
    total: running.length,
    requests: oldest.map((one) => {
      const { request, ids, firstByteMs } = one;
      const hasTrace = ids !== undefined && !NO_TRACE.test(ids.traceId);
      return {
        id: request.requestId,
        method: one.method,
        route: one.route,
        start: phases.wallOf(one.startedAt),
        ...(hasTrace && { traceId: ids.traceId }),
        ...(request.sessionId !== undefined && { sessionId: request.sessionId }),
        phases: phases.of(request),
        bytes: one.responseBytes,
        events: one.streamEvents ?? 0,
        ...(firstByteMs !== undefined && { firstByte: roundMs(firstByteMs) }),
      };
    }),
  };
}
