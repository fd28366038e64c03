/** A client of fit-check for browsers and Node.js, without dependencies. */
export { createFitCheckClient, type FitCheckClient, type FitCheckClientOptions, type Question } from './client.ts';
export { type ErrorCode, FitCheckError } from './error.ts';
export {
  type CompleteEvent,
  type FitCheckEvent,
  PHASES,
  type PhaseCompleteEvent,
  type PhaseEvent,
  type PhaseName,
  type ResponseEvent,
  type StoredEvent,
  type ThoughtEvent,
  type TokenUsage,
  type WaitingEvent,
} from './event.ts';
export type { SessionStatus, StoredAnalysis, StoredPhase, StoredSession } from './stored.ts';
