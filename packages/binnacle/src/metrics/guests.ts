/** Registries of the host (prom-client's) as guests of the scrape. Read as JSON, so that one format serves both. */
import type { Faults } from '../faults.ts';
import { writeLabels } from './family.ts';

/** What a guest must be able to do; prom-client's `Registry` is one. */
export interface GuestRegistry {
  getMetricsAsJSON(): Promise<readonly object[]>;
}

/** A guest's metric, ready to be written. */
export interface GuestFamily {
  readonly name: string;
  readonly help: string;
  readonly kind: string;
  /** How prom-client would put several processes' figures together. */
  readonly aggregator?: string | undefined;
  readonly samples: readonly { readonly suffix: string; readonly labels: string; readonly value: number }[];
}

interface GuestValue {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string | number>>;
  readonly metricName?: string;
}

/** Three gauges of prom-client's default metrics, which promtool rejects; NODEJS_LEGACY_METRICS gives them as ours. */
const REJECTED = /^nodejs_active_(handles|requests|resources)_total$/;
const READ_TIMEOUT_MS = 5000;

/**
 * Reads all guests at once; one that fails or hangs is left out with one line, and names that are taken stay ours.
 * Names that clash are told in one line, which comes again only when there are others.
 */
export async function readGuests(
  guests: readonly GuestRegistry[],
  taken: (name: string) => boolean,
  faults: Faults,
): Promise<GuestFamily[]> {
  const seen = new Set<string>();
  const clashes: string[] = [];
  const free = (name: string) => !taken(name) && !seen.has(name);
  const read = await Promise.all(guests.map((guest, index) => readGuest(guest, index, faults)));
  const families = read.flat().filter(({ name, kind }) => {
    if (REJECTED.test(name)) return false;
    // OpenMetrics writes a counter with `_total`, whatever its host calls it.
    const names = kind === 'counter' && !name.endsWith('_total') ? [name, `${name}_total`] : [name];
    if (!names.every(free)) {
      clashes.push(name);
      return false;
    }
    for (const one of names) seen.add(one);
    return true;
  });
  if (clashes.length > 0) {
    const list = clashes.join(', ');
    faults.once(
      `guests:${list}`,
      'binnacle',
      `The host's metrics ${list} are left out of the scrape: their names are taken`,
    );
  }
  return families;
}

/**
 * A guest that is asked once at a time and waited for 5 s: while it hangs, later scrapes neither wait for it nor pile
 * up questions.
 */
export function patientGuest(guest: GuestRegistry): GuestRegistry {
  let answer: Promise<readonly object[]> | undefined;
  let late = false;
  const ask = (): Promise<readonly object[]> => {
    answer = Promise.resolve(guest.getMetricsAsJSON()).finally(() => {
      answer = undefined;
      late = false;
    });
    return answer;
  };
  return {
    async getMetricsAsJSON() {
      if (late) throw new Error('still no answer to an earlier scrape');
      let timer: NodeJS.Timeout | undefined;
      const deadline = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          late = true;
          reject(new Error(`no answer within ${READ_TIMEOUT_MS} ms`));
        }, READ_TIMEOUT_MS);
        timer.unref();
      });
      try {
        return await Promise.race([answer ?? ask(), deadline]);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

async function readGuest(guest: GuestRegistry, index: number, faults: Faults): Promise<readonly GuestFamily[]> {
  try {
    const metrics = await guest.getMetricsAsJSON();
    return metrics.map(toFamily).filter((family) => family !== undefined);
  } catch (error) {
    faults.once(
      `guest-registry:${index}`,
      'binnacle',
      'A registry of the host could not be read; the scrape goes on without it',
      { error },
    );
    return [];
  }
}

function toFamily(metric: object): GuestFamily | undefined {
  const { name, help, type, values, aggregator } = metric as Readonly<Record<string, unknown>>;
  if (typeof name !== 'string' || typeof type !== 'string' || !Array.isArray(values)) return undefined;
  const samples = (values as GuestValue[]).map(({ value, labels = {}, metricName }) => ({
    suffix: (metricName ?? name).slice(name.length),
    labels: writeLabels(Object.keys(labels), labels),
    value,
  }));
  return {
    name,
    kind: type,
    help: typeof help === 'string' ? help : '',
    aggregator: typeof aggregator === 'string' ? aggregator : undefined,
    samples,
  };
}
