/** One flight for those who want the same at the same time, within the process. */
import type { CallLimits } from '../limits.ts';
import { type Clock, LATE, realClock, waitFor } from './clock.ts';

/** What somebody who asks is told: to lead, or what another's lead has found. */
export type Turn<V> = Lead<V> | { readonly kind: 'shared'; readonly value: V };

export interface Lead<V> {
  readonly kind: 'lead';
  /** Ends the lead: those who wait get the value, or without one the next of them leads. Only the first call counts. */
  land(value?: V): void;
}

/** A lead that begins only now: how long others wait for it counts from here. */
export interface Flight<V> extends Lead<V> {
  begin(): void;
}

export interface Waiter {
  readonly signal: AbortSignal;
  /** How long one leader may take, in milliseconds, before somebody else leads as well. */
  patienceMs(): number;
}

export interface Flights<V> {
  /** Resolves with the turn; rejects with the signal's reason. A waiter that goes away does not touch the leader. */
  enter(key: string, waiter: Waiter): Promise<Flight<V> | Exclude<Turn<V>, Lead<V>>>;
  /** Keys that somebody leads. */
  readonly size: number;
}

interface Airborne<V> {
  since: number;
  readonly landed: Promise<Landing<V>>;
  resolve(landing: Landing<V>): void;
}

type Landing<V> = { readonly value: V } | undefined;

export function createFlights<V>(clock: Clock = realClock): Flights<V> {
  const flights = new Map<string, Airborne<V>>();
  const lead = (key: string): Flight<V> => {
    const flight = takeOff<V>(clock);
    flights.set(key, flight);
    let over = false;
    return {
      kind: 'lead',
      begin: () => {
        flight.since = clock.now();
      },
      land(value) {
        if (over) return;
        over = true;
        const landing = value === undefined ? undefined : { value };
        flight.resolve(landing);
        const current = flights.get(key);
        // A leader that was given up may still be the first to land: what it found serves all.
        if (landing !== undefined) current?.resolve(landing);
        if (landing !== undefined || current === flight) flights.delete(key);
      },
    };
  };
  return {
    async enter(key, { signal, patienceMs }) {
      for (;;) {
        signal.throwIfAborted();
        const flight = flights.get(key);
        if (flight === undefined) return lead(key);
        const ms = flight.since + patienceMs() - clock.now();
        const landing = ms > 0 ? await waitFor(clock, { ms, signal }, flight.landed) : LATE;
        if (landing === LATE) {
          if (flights.get(key) === flight && flight.since + patienceMs() <= clock.now()) return lead(key);
        } else if (landing !== undefined) return { kind: 'shared', value: landing.value };
      }
    },
    get size() {
      return flights.size;
    },
  };
}

function takeOff<V>(clock: Clock): Airborne<V> {
  let resolve: Airborne<V>['resolve'] = () => {};
  const landed = new Promise<Landing<V>>((done) => (resolve = done));
  return { since: clock.now(), landed, resolve };
}

/** Work that callers of one key share: it is done once, and ends early only when all of them have gone. */
export type ShareWork<V> = (key: string, caller: CallLimits, work: (limits: CallLimits) => Promise<V>) => Promise<V>;

interface Work<V> {
  readonly callers: Set<CallLimits>;
  readonly controller: AbortController;
  readonly result: Promise<V>;
}

export function createSharedWork<V>(): ShareWork<V> {
  const running = new Map<string, Work<V>>();
  const begin = (key: string, caller: CallLimits, work: (limits: CallLimits) => Promise<V>): Work<V> => {
    const callers = new Set([caller]);
    const controller = new AbortController();
    const remainingMs = (): number => Math.max(0, ...[...callers].map((each) => each.remainingMs()));
    const result = work({ signal: controller.signal, remainingMs }).finally(() => {
      if (running.get(key)?.result === result) running.delete(key);
    });
    // Nobody may be left to hear of it.
    result.catch(() => {});
    const begun = { callers, controller, result };
    running.set(key, begun);
    return begun;
  };
  return async (key, caller, work) => {
    caller.signal.throwIfAborted();
    const shared = running.get(key) ?? begin(key, caller, work);
    shared.callers.add(caller);
    let leave = (): void => {};
    const left = new Promise<never>((_, reject) => {
      leave = () => {
        shared.callers.delete(caller);
        if (shared.callers.size === 0) {
          running.delete(key);
          shared.controller.abort(caller.signal.reason);
        }
        reject(caller.signal.reason);
      };
    });
    caller.signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([shared.result, left]);
    } finally {
      caller.signal.removeEventListener('abort', leave);
    }
  };
}
