/** What a span is about, for its mark, its colour and its links. */
import type { Attribute, SpanRecord } from './wire.ts';

export const KINDS = [
  'request',
  'phase',
  'ai',
  'database',
  'redis',
  'client',
  'cache',
  'breaker',
  'queue',
  'internal',
] as const;
export type Kind = (typeof KINDS)[number];

export const KIND_NAMES: Readonly<Record<Kind, string>> = {
  request: 'Request',
  phase: 'Phase',
  ai: 'AI',
  database: 'Database',
  redis: 'Redis',
  client: 'HTTP client',
  cache: 'Cache',
  breaker: 'Breaker',
  queue: 'Messaging',
  internal: 'Internal',
};

const REDIS = new Set(['redis', 'valkey']);

export function kindOf({ attributes, kind }: Pick<SpanRecord, 'attributes' | 'kind'>): Kind {
  const system = attributes['db.system.name'] ?? attributes['db.system'];
  if (attributes['gen_ai.operation.name'] !== undefined || attributes['gen_ai.system'] !== undefined) return 'ai';
  if (typeof system === 'string') return REDIS.has(system) ? 'redis' : 'database';
  if (attributes['binnacle.phase'] !== undefined) return 'phase';
  if (attributes['binnacle.cache.name'] !== undefined) return 'cache';
  if (attributes['binnacle.breaker.name'] !== undefined) return 'breaker';
  if (kind === 'server') return 'request';
  if (kind === 'client') return 'client';
  return kind === 'producer' || kind === 'consumer' ? 'queue' : 'internal';
}

/** How the work that a span tells of ended. A cancelled one is no error, and says so by `error.type` alone. */
export type Ending = 'success' | 'error' | 'timeout' | 'cancelled';
const CANCELLED = new Set<unknown>(['cancelled', 'client_disconnect', 'shutdown']);

export function endingOf({ status, attributes }: Pick<SpanRecord, 'status' | 'attributes'>): Ending {
  const type = attributes['error.type'];
  if (type === 'timeout') return 'timeout';
  if (CANCELLED.has(type)) return 'cancelled';
  return status === 'error' ? 'error' : 'success';
}

export function textOf(value: Attribute | undefined): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

export function numberOf(value: Attribute | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
