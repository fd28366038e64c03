/** What the page remembers of moments that replace one another: health, breakers, queues. */
import type { Series } from './metrics.ts';
import type { HealthMoment, LiveMoment, TelemetryMoment } from './wire.ts';

/** Of each check: at one moment every five seconds ten minutes. */
export const CHECK_LIMIT = 120;
const TRANSITION_LIMIT = 100;
const NAME_LIMIT = 200;

export interface CheckPoint {
  readonly time: number;
  readonly status: string;
  readonly duration: number | undefined;
}

export interface Transition {
  readonly time: number;
  readonly service: string;
  readonly from: string;
  readonly to: string;
}

export class Moments {
  version = 0;
  live: LiveMoment | undefined;
  health: HealthMoment | undefined;
  telemetry: TelemetryMoment | undefined;
  /** Those seen since the page is open, the newest first. */
  transitions: readonly Transition[] = [];
  /** When health was first told of; undefined before. */
  since: number | undefined;
  readonly #checks = new Map<string, CheckPoint[]>();

  setLive(moment: LiveMoment): void {
    this.live = moment;
    this.version += 1;
  }

  setTelemetry(moment: TelemetryMoment): void {
    this.telemetry = moment;
    this.version += 1;
  }

  setHealth(moment: HealthMoment): void {
    const before = this.health;
    this.health = moment;
    this.since ??= moment.time;
    this.version += 1;
    // A moment that was told again, after a break of the line.
    if (before !== undefined && moment.time <= before.time) return;
    for (const [name, { status, duration_ms }] of Object.entries(moment.checks)) {
      this.#remember(name, { time: moment.time, status, duration: duration_ms });
    }
    this.#compare(before, moment);
  }

  historyOf(check: string): readonly CheckPoint[] {
    return this.#checks.get(check) ?? [];
  }

  clear(): void {
    this.live = undefined;
    this.health = undefined;
    this.telemetry = undefined;
    this.transitions = [];
    this.since = undefined;
    this.#checks.clear();
    this.version += 1;
  }

  #remember(name: string, point: CheckPoint): void {
    const points = this.#checks.get(name) ?? [];
    points.push(point);
    if (points.length > CHECK_LIMIT) points.shift();
    if (this.#checks.size < NAME_LIMIT || this.#checks.has(name)) this.#checks.set(name, points);
  }

  #compare(before: HealthMoment | undefined, now: HealthMoment): void {
    const states = new Map(before?.breakers.map(({ service, state }) => [service, state]));
    const fresh = now.breakers.flatMap(({ service, state }): Transition[] => {
      const from = states.get(service);
      return from === undefined || from === state ? [] : [{ time: now.time, service, from, to: state }];
    });
    if (fresh.length > 0) this.transitions = [...fresh.reverse(), ...this.transitions].slice(0, TRANSITION_LIMIT);
  }
}

/** As `circuit_breaker_state` has them. */
const STATES = ['closed', 'open', 'half_open'];

/** What the metric's history tells of from before a moment, the newest first. */
export function transitionsOf(states: readonly Series[], before: number): Transition[] {
  const found = states.flatMap(({ labels, times, samples }) => {
    const service = labels.service ?? '';
    return samples.flatMap((sample, at): Transition[] => {
      const [from, to] = [STATES[samples[at - 1]?.[0] ?? -1], STATES[sample[0] ?? -1]];
      const time = times[at] ?? 0;
      return from === undefined || to === undefined || from === to || time >= before
        ? []
        : [{ time, service, from, to }];
    });
  });
  return found.sort((one, other) => other.time - one.time);
}
