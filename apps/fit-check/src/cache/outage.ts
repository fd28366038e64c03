/**
 * Whether a server can be used. One failure is enough to leave it alone; while it is away this looks after it in the
 * background, so that no user waits to find out. Each outage is told once.
 */
import { AsyncResource } from 'node:async_hooks';
import type { Clock } from './clock.ts';

export interface OutageOptions {
  readonly clock: Clock;
  /** How long it is left alone after a failure, in milliseconds; a tenth more or less, so that instances spread. */
  readonly cooldownMs: number;
  /** Asks it for something small; rejects where it cannot be used. */
  probe(): Promise<unknown>;
  /** An outage began; `code` says why. */
  onDown(code: string): void;
  /** It is over, after so many milliseconds. */
  onUp(durationMs: number): void;
}

export interface Outage {
  readonly available: boolean;
  failed(code: string): void;
  worked(): void;
  /** Probes now; true where it can be used. */
  probe(): Promise<boolean>;
  close(): void;
}

type State =
  | { readonly kind: 'starting' }
  | { readonly kind: 'up' }
  | { readonly kind: 'down'; readonly since: number }
  | { readonly kind: 'closed' };

/** Begins as not available, and tells nothing until the first failure. */
export function createOutage({ clock, cooldownMs, probe, onDown, onUp }: OutageOptions): Outage {
  let state: State = { kind: 'starting' };
  let cancel = (): void => {};
  // Whoever notices, the outage is not part of that request: neither its lines nor its timers carry the request's ids.
  const outside = AsyncResource.bind((run: () => void): void => run());
  const probeLater = (): void => {
    cancel();
    cancel = clock.setTimer(() => void look(), cooldownMs * (0.9 + Math.random() / 5));
  };
  const worked = (): void => {
    if (state.kind === 'up' || state.kind === 'closed') return;
    cancel();
    const before = state;
    state = { kind: 'up' };
    if (before.kind === 'down') outside(() => onUp(clock.now() - before.since));
  };
  const failed = (code: string): void => {
    if (state.kind === 'down' || state.kind === 'closed') return;
    state = { kind: 'down', since: clock.now() };
    outside(() => {
      onDown(code);
      probeLater();
    });
  };
  const look = async (): Promise<boolean> => {
    try {
      await probe();
      worked();
      return state.kind === 'up';
    } catch {
      if (state.kind !== 'closed') outside(probeLater);
      return false;
    }
  };
  return {
    get available() {
      return state.kind === 'up';
    },
    failed,
    worked,
    probe: look,
    close() {
      cancel();
      state = { kind: 'closed' };
    },
  };
}
