/** What a session tells, typed: the events of the stream, checked as they come. */
import { FitCheckError } from './error.ts';

/** The phases of every session, in order. */
export const PHASES = ['connecting', 'deep_research', 'skills_matching', 'gap_analysis', 'verdict'] as const;

export type PhaseName = (typeof PHASES)[number];

/** Tokens that a language model took and gave. */
export interface TokenUsage {
  readonly input_tokens: number;
  readonly output_tokens: number;
}

/** A phase has begun. `message` is for people; there is none where the phase is told from what is stored. */
export interface PhaseEvent {
  readonly type: 'phase';
  readonly phase: PhaseName;
  readonly message?: string;
}

/** A phase has ended. `duration_ms` is above 0, and null where the phase is told from what is stored. */
export interface PhaseCompleteEvent {
  readonly type: 'phase_complete';
  readonly phase: PhaseName;
  readonly summary: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly duration_ms: number | null;
}

export interface ThoughtEvent {
  readonly type: 'thought';
  readonly content: string;
}

/** A piece of the verdict; the pieces together are the whole of it. */
export interface ResponseEvent {
  readonly type: 'response';
  readonly chunk: string;
}

/** The last event of a session that found its answer. */
export interface CompleteEvent {
  readonly type: 'complete';
  readonly session_id: string;
  readonly duration_ms: number;
  readonly usage: TokenUsage | null;
  readonly cached: boolean;
  readonly provider: string;
}

/** The client's own: the stream broke, or the session runs elsewhere, and what becomes of it is asked for until known. */
export interface WaitingEvent {
  readonly type: 'waiting';
  /** `network`: the service cannot be reached; `running`: it says that the session still runs. */
  readonly reason: 'network' | 'running';
}

/** The client's own: what a session was asked, where it is read again. */
export interface StoredEvent {
  readonly type: 'stored';
  readonly session_id: string;
  readonly query: string;
  /** ISO 8601. */
  readonly created_at: string;
}

export type FitCheckEvent =
  | PhaseEvent
  | PhaseCompleteEvent
  | ThoughtEvent
  | ResponseEvent
  | CompleteEvent
  | WaitingEvent
  | StoredEvent;

/** What the wire may say beside events: how a session ended that did not complete. */
export type WireEvent =
  | Exclude<FitCheckEvent, WaitingEvent | StoredEvent>
  | { readonly type: 'error'; readonly code: string; readonly message: string }
  | { readonly type: 'shutdown'; readonly message: string };

/**
 * An event of the wire, checked; undefined for one of a name that this client does not know, which a newer service may
 * send. Throws `protocol` for one that is not as the contract has it.
 */
export function readEvent(name: string, text: string): WireEvent | undefined {
  const read = READERS[name];
  if (read === undefined || !Object.hasOwn(READERS, name)) return undefined;
  return read(asRecord(parseJson(text)));
}

type Fields = Readonly<Record<string, unknown>>;

const READERS: Readonly<Record<string, (fields: Fields) => WireEvent>> = {
  phase: (fields) => ({ type: 'phase', phase: phaseOf(fields), message: textOf(fields, 'message') }),
  phase_complete: (fields) => ({
    type: 'phase_complete',
    phase: phaseOf(fields),
    summary: textOf(fields, 'summary'),
    data: asRecord(fields.data),
    duration_ms: numberOf(fields, 'duration_ms'),
  }),
  thought: (fields) => ({ type: 'thought', content: textOf(fields, 'content') }),
  response: (fields) => ({ type: 'response', chunk: textOf(fields, 'chunk') }),
  complete: (fields) => ({
    type: 'complete',
    session_id: textOf(fields, 'session_id'),
    duration_ms: numberOf(fields, 'duration_ms'),
    usage: usageOf(fields.usage),
    cached: fields.cached === true,
    provider: textOf(fields, 'provider'),
  }),
  error: (fields) => ({ type: 'error', code: textOf(fields, 'code'), message: textOf(fields, 'message') }),
  shutdown: (fields) => ({ type: 'shutdown', message: textOf(fields, 'message') }),
};

/** JSON, or `protocol`. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw unlike('it is not JSON');
  }
}

export function asRecord(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unlike('an object is missing');
  return value as Fields;
}

export function textOf(fields: Fields, key: string): string {
  const value = fields[key];
  if (typeof value !== 'string') throw unlike(`"${key}" is no string`);
  return value;
}

export function numberOf(fields: Fields, key: string): number {
  const value = fields[key];
  if (typeof value !== 'number') throw unlike(`"${key}" is no number`);
  return value;
}

export function phaseOf(fields: Fields): PhaseName {
  const phase = PHASES.find((name) => name === fields.phase);
  if (phase === undefined) throw unlike('"phase" is none that is known');
  return phase;
}

function usageOf(value: unknown): TokenUsage | null {
  if (value === null || value === undefined) return null;
  const fields = asRecord(value);
  return { input_tokens: numberOf(fields, 'input_tokens'), output_tokens: numberOf(fields, 'output_tokens') };
}

/** The service said something that is not in the contract. */
export function unlike(why: string): FitCheckError {
  return new FitCheckError('protocol', `The answer cannot be read: ${why}.`);
}
