/** Binnacle's public names. */
export type { Ai } from './ai/ai.ts';
export type { AiSdkTelemetry } from './ai/clients/ai-sdk.ts';
export type { LangChainHandler } from './ai/clients/langchain.ts';
export type { OperationReference, Score } from './ai/evaluation.ts';
export type { OperationInfo, RequestParameters } from './ai/info.ts';
export type { Operation } from './ai/operation.ts';
export type { Price, PriceTable } from './ai/price.ts';
export type { Usage } from './ai/usage.ts';
export {
  type AcrossWorkers,
  bucketSets,
  catalogue,
  type Definition,
  definitions,
  type MetricKey,
} from './catalogue.ts';
export type { Ending, Outcome, RequestInHand } from './context.ts';
export type { ClientOptions, ObserveClient } from './drivers/client.ts';
export type { PublishedClient } from './drivers/published.ts';
export { roundMs } from './duration.ts';
export { errorTypeOf, outcomeOf } from './endings.ts';
export { type NumberRange, type Problem, type Reader, readSettings, SettingsError } from './environment.ts';
export { makeFolder } from './folder.ts';
export { database } from './health/checks/database.ts';
export { disk } from './health/checks/disk.ts';
export { eventLoop } from './health/checks/event-loop.ts';
export { memory } from './health/checks/memory.ts';
export { redis } from './health/checks/redis.ts';
export type { Check, CheckOptions, CheckResult, Health, Report } from './health/health.ts';
export { Exchange, ExchangeAborted } from './http/exchange.ts';
export type { ObservedHttp } from './http/observed.ts';
export type { GuestRegistry } from './metrics/guests.ts';
export type {
  Counter,
  Gauge,
  GaugeOptions,
  Histogram,
  HistogramOptions,
  InstrumentOptions,
} from './metrics/instrument.ts';
export { measure, type Stopwatch, timed } from './metrics/timing.ts';
export { gatherWorkers } from './metrics/workers/workers.ts';
export { type Observability, type ObserveOptions, observe } from './observe.ts';
export type { ConsoleOption, Settings, SettingsOptions, TrustProxy } from './settings.ts';
export type { BoundCounter, BoundGauge, BoundHistogram, Labels, LabelValue, Level } from './signals.ts';
export { reportStartFailure } from './start-failure.ts';
export { type Breaker, BreakerOpenError, type BreakerOptions } from './work/breaker.ts';
export { BREAKER_STATES, type BreakerState } from './work/breaker-record.ts';
export type { ObserveCache, Store } from './work/cache.ts';
export type { Phase } from './work/phase.ts';
export type { RunSession, Session, SessionOptions } from './work/session.ts';
