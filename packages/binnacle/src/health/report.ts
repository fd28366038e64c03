/** The words of a health report, and the rules by which results become one. */

/** `degraded` is served on; `unhealthy` of a critical check takes the service out of rotation. */
export type Status = 'healthy' | 'degraded' | 'unhealthy';

/** One check in a report. Further names are the check's own details. */
export interface CheckReport {
  readonly status: Status;
  readonly critical: boolean;
  /** How long the check took, in milliseconds above 0; its timeout where it did not end. */
  readonly duration_ms: number;
  /** How old the result is, in milliseconds; since the registration where there is none. */
  readonly age_ms: number;
  /** A code (`ECONNREFUSED`, `timeout`, `starting`), never a driver's text. */
  readonly error?: string;
  readonly [detail: string]: unknown;
}

/** What `/health*` answers. */
export interface Report {
  readonly status: Status;
  readonly service: string;
  readonly version: string;
  readonly uptime_seconds: number;
  /** Unix seconds. */
  readonly timestamp: number;
  /** True once a shutdown has begun. */
  readonly draining?: true;
  /** In the combined report: whether the process lives, and whether it takes work. */
  readonly live?: Status;
  readonly ready?: Status;
  readonly checks: Readonly<Record<string, CheckReport>>;
}

/** Readiness: a critical check that fails makes it `unhealthy`, anything else that is not healthy `degraded`. */
export function combine(checks: Iterable<CheckReport>): Status {
  let combined: Status = 'healthy';
  for (const { status, critical } of checks) {
    if (status === 'unhealthy' && critical) return 'unhealthy';
    if (status !== 'healthy') combined = 'degraded';
  }
  return combined;
}
