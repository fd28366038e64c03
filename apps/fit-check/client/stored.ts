/** A stored session, and its analysis told as the events that a stream would have told. */

import { FitCheckError } from './error.ts';
import {
  asRecord,
  type FitCheckEvent,
  numberOf,
  type PhaseName,
  phaseOf,
  type TokenUsage,
  textOf,
  unlike,
} from './event.ts';

export type SessionStatus = 'running' | 'complete' | 'error' | 'timeout' | 'cancelled' | 'interrupted';

const STATUSES: readonly string[] = [
  'running',
  'complete',
  'error',
  'timeout',
  'cancelled',
  'interrupted',
] satisfies SessionStatus[];

export interface StoredPhase {
  readonly phase: PhaseName;
  readonly summary: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly thoughts: readonly string[];
}

export interface StoredAnalysis {
  readonly query: string;
  readonly provider: string;
  readonly model: string;
  readonly phases: readonly StoredPhase[];
  readonly verdict: string;
  readonly usage: TokenUsage | null;
  readonly cached: boolean;
}

/** What `GET /api/fit-check/sessions/:id` answers. */
export interface StoredSession {
  readonly session_id: string;
  readonly status: SessionStatus;
  /** ISO 8601. */
  readonly created_at: string;
  readonly updated_at: string;
  readonly duration_ms: number | null;
  /** Null until the session has found all of it. */
  readonly analysis: StoredAnalysis | null;
}

/** Checks an answer; throws `protocol`. */
export function readStored(value: unknown): StoredSession {
  const fields = asRecord(value);
  const status = textOf(fields, 'status');
  if (!STATUSES.includes(status)) throw unlike('"status" is none that is known');
  return {
    session_id: textOf(fields, 'session_id'),
    status: status as SessionStatus,
    created_at: textOf(fields, 'created_at'),
    updated_at: textOf(fields, 'updated_at'),
    duration_ms: typeof fields.duration_ms === 'number' ? fields.duration_ms : null,
    analysis: fields.analysis === null ? null : readAnalysis(asRecord(fields.analysis)),
  };
}

function readAnalysis(fields: Readonly<Record<string, unknown>>): StoredAnalysis {
  const { phases, usage } = fields;
  if (!Array.isArray(phases)) throw unlike('"phases" is no list');
  return {
    query: textOf(fields, 'query'),
    provider: textOf(fields, 'provider'),
    model: textOf(fields, 'model'),
    phases: phases.map((phase) => readPhase(asRecord(phase))),
    verdict: textOf(fields, 'verdict'),
    usage: usage === null || usage === undefined ? null : readUsage(asRecord(usage)),
    cached: fields.cached === true,
  };
}

function readPhase(fields: Readonly<Record<string, unknown>>): StoredPhase {
  const thoughts: unknown[] = Array.isArray(fields.thoughts) ? fields.thoughts : [];
  return {
    phase: phaseOf(fields),
    summary: textOf(fields, 'summary'),
    data: asRecord(fields.data),
    thoughts: thoughts.filter((thought) => typeof thought === 'string'),
  };
}

function readUsage(fields: Readonly<Record<string, unknown>>): TokenUsage {
  return { input_tokens: numberOf(fields, 'inputTokens'), output_tokens: numberOf(fields, 'outputTokens') };
}

/** What a reader has had of a session so far. */
export class Progress {
  readonly #begun = new Set<PhaseName>();
  readonly #ended = new Set<PhaseName>();
  readonly #thoughts = new Map<PhaseName | undefined, number>();
  #now: PhaseName | undefined;
  #verdict = '';

  heard(event: FitCheckEvent): void {
    if (event.type === 'phase') {
      this.#now = event.phase;
      this.#begun.add(event.phase);
    } else if (event.type === 'phase_complete') this.#ended.add(event.phase);
    else if (event.type === 'thought') this.#thoughts.set(this.#now, (this.#thoughts.get(this.#now) ?? 0) + 1);
    else if (event.type === 'response') this.#verdict += event.chunk;
  }

  /** What is missing yet of what is stored, in order; throws `replaced` when that is another run's. */
  rest(session: StoredSession, analysis: StoredAnalysis, thoughts: boolean): FitCheckEvent[] {
    if (!analysis.verdict.startsWith(this.#verdict)) {
      throw new FitCheckError('replaced', 'This session was run again meanwhile.', { sessionId: session.session_id });
    }
    const events: FitCheckEvent[] = [];
    for (const told of analysis.phases) {
      const { phase, summary, data } = told;
      if (this.#ended.has(phase)) continue;
      if (!this.#begun.has(phase)) events.push({ type: 'phase', phase });
      if (phase === 'verdict' && analysis.verdict.length > this.#verdict.length)
        events.push({ type: 'response', chunk: analysis.verdict.slice(this.#verdict.length) });
      if (thoughts) {
        for (const content of told.thoughts.slice(this.#thoughts.get(phase) ?? 0))
          events.push({ type: 'thought', content });
      }
      events.push({ type: 'phase_complete', phase, summary, data, duration_ms: null });
    }
    const { usage, cached, provider } = analysis;
    const { session_id, duration_ms } = session;
    events.push({ type: 'complete', session_id, duration_ms: duration_ms ?? 0, usage, cached, provider });
    return events;
  }
}

/** Why a session that has ended has no answer. */
export function endedWithout({ session_id: sessionId, status }: StoredSession): FitCheckError {
  const details = { sessionId };
  if (status === 'timeout') return new FitCheckError('timeout', 'The analysis took longer than it may.', details);
  if (status === 'cancelled')
    return new FitCheckError('cancelled', 'The analysis was cancelled before it was done.', details);
  if (status === 'interrupted')
    return new FitCheckError('interrupted', 'The service stopped while the analysis ran.', details);
  return new FitCheckError('failed', 'The analysis failed.', details);
}
