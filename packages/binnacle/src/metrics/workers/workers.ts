/**
 * One scrape over all of a service's processes and threads. Whoever answers, the primary or main thread or any worker,
 * tells of the whole; where nothing gathers, the scrape says so.
 */
import { definitions } from '../../catalogue.ts';
import { createFaults, type Faults } from '../../faults.ts';
import { expose } from '../exposition.ts';
import { createRegistry, type Registry, type RegistryOptions, type View } from '../registry.ts';
import { gatherFromCluster, isClusterWorker, reportToPrimary } from './cluster.ts';
import { Gatherer } from './gatherer.ts';
import type { Pass } from './reader.ts';
import { Reporter } from './reporter.ts';
import { gatherFromThreads, isThread, reportToMainThread } from './threads.ts';
import type { Upward } from './wire.ts';

export type WorkersOptions = Pick<RegistryOptions, 'faults' | 'maxSeries'>;

/** A registry whose scrape tells of all workers, and what ends that. */
export interface Joined {
  readonly registry: Registry;
  close(): void;
}

/** Makes a registry and joins it with the others, unless it is to be scraped `apart`. */
export function openMetrics(options: RegistryOptions, apart = false): Joined {
  const registry = createRegistry(options);
  return apart ? { registry, close() {} } : joinWorkers(registry, options);
}

/**
 * Joins a registry with those of the service's other processes and threads: as a reporter in a worker of `node:cluster`
 * and in a thread, as the gatherer of its own workers and threads everywhere else. Costs nothing until there are some.
 */
export function joinWorkers(registry: Registry, { faults, maxSeries = {} }: WorkersOptions): Joined {
  const unanswered = faults.outage('binnacle');
  const thread = isThread();
  const reports = thread || isClusterWorker();
  // Threads hand their ports to the main thread, whichever thread made them.
  const gatherer = thread ? undefined : new Gatherer({ own: registry, faults, maxSeries, view });
  const stops: (() => void)[] = [];
  if (gatherer !== undefined) stops.push(gatherFromThreads(gatherer));
  if (gatherer !== undefined && !reports) stops.push(gatherFromCluster(gatherer));

  const prepare = async (pass: Pass, waitMs: number): Promise<View> => {
    if (gatherer?.active) {
      if (pass.whole) return gatherer.gather(pass.exemplars, waitMs);
      await gatherer.readOwn(pass);
      return gatherer.known();
    }
    return pass.whole ? registry.read() : { families: registry.families(), guests: [] };
  };
  const last = (): View => {
    if (!gatherer?.active) return { families: registry.families(), guests: [] };
    gatherer.readOwnAtOnce();
    return gatherer.known();
  };
  const make = (send: (message: Upward) => void): Reporter => new Reporter({ send, prepare, last, thread });
  const up = thread ? reportToMainThread(make) : reports ? reportToPrimary(make) : undefined;
  const flush = (): void => up?.reporter.flush();
  if (up !== undefined) process.on('exit', flush);

  async function view(exemplars: boolean): Promise<View> {
    const whole = await up?.reporter.whole(exemplars).catch((error: unknown) => {
      unanswered.down('The scrape failed: whoever gathers the metrics of all workers did not answer', { error });
      throw error;
    });
    if (whole !== undefined) {
      unanswered.up('Scrapes are answered again');
      return whole;
    }
    if (up !== undefined) tellAlone(registry, faults, thread);
    return gatherer?.active ? gatherer.gather(exemplars) : registry.read();
  }

  return {
    registry: { ...registry, scrape: (format) => (up || gatherer?.active ? scrape(format) : registry.scrape(format)) },
    close() {
      process.off('exit', flush);
      up?.reporter.leave();
      up?.close();
      for (const stop of stops) stop();
      gatherer?.close();
    },
  };

  async function* scrape(format: Parameters<Registry['scrape']>[0]): AsyncGenerator<string> {
    const start = performance.now();
    const { families, guests } = await view(format === 'openmetrics');
    yield* expose(families, guests, format);
    const seconds = (performance.now() - start) / 1000;
    registry.meters.scrapeDuration.bind({}).set(seconds);
    gatherer?.scraped(seconds);
  }
}

function tellAlone({ meters }: Registry, faults: Faults, thread: boolean): void {
  meters.workersGathered.bind({}).set(0);
  const [one, where] = thread ? ['thread', 'main thread'] : ['worker', 'primary of the cluster'];
  faults.once(
    'workers:alone',
    'binnacle',
    `/metrics tells of this ${one} alone: nothing gathers in the ${where}; call observe() or gatherWorkers() there`,
    { metric: definitions.workersGathered.name },
  );
}

/**
 * Gathers the metrics of the workers in a primary of `node:cluster`, or of the threads in a main thread, that has none
 * of its own to tell (one that calls `observe()` gathers by that). Any worker's `/metrics` then tells of all of them.
 * In a worker it does nothing.
 * @example if (cluster.isPrimary) gatherWorkers();
 */
export function gatherWorkers(options: { readonly maxSeries?: Readonly<Record<string, number>> } = {}): {
  close(): void;
} {
  if (isThread() || isClusterWorker()) return { close() {} };
  const gatherer: Gatherer = new Gatherer({
    own: undefined,
    faults: createFaults(),
    maxSeries: options.maxSeries ?? {},
    view: (exemplars) => gatherer.gather(exemplars),
  });
  const stops = [gatherFromThreads(gatherer), gatherFromCluster(gatherer)];
  return {
    close() {
      for (const stop of stops) stop();
      gatherer.close();
    },
  };
}
