/**
 * `process_*` and `nodejs_*`, read at scrape. Everything here costs well below a millisecond; what a platform does not
 * tell (no /proc, another runtime) is left out.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { constants, type IntervalHistogram, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics } from 'node:v8';
import { type ProcessMetricKey, processDefinitions } from '../catalogue-process.ts';
import type { Series } from '../signals.ts';
import type { Family } from './family.ts';
import type { Registry } from './registry.ts';

/** How often the event loop's delay is sampled, in milliseconds; prom-client's default, so that figures compare. */
const LAG_RESOLUTION_MS = 10;

type Families = Partial<Record<ProcessMetricKey, Family>>;

/** One group of metrics: read at each scrape, and at looks in between, closed at the end. */
interface Source {
  read(isLook: boolean): void;
  close?(): void;
}

/**
 * Defines the process's metrics in a registry and fills them at each scrape, until closed. Nothing here keeps the
 * process alive.
 *
 * @param options.legacy whether prom-client's three `nodejs_active_*_total` gauges are there too (promtool rejects them)
 */
export function observeProcess(registry: Registry, options: { legacy: boolean }): { close(): void } {
  const families: Families = {};
  for (const [key, definition] of Object.entries(processDefinitions)) {
    if (options.legacy || !definition.legacy) families[key as ProcessMetricKey] = registry.define(definition);
  }
  const sources = [processor, memory, descriptors, heap, active, lag, collections, build]
    .map((make) => attempt(() => make(families)))
    .filter((source) => source !== undefined);
  let closed = false;
  registry.beforeScrape((isLook) => {
    if (!closed) for (const source of sources) attempt(() => source.read(isLook));
  });
  return {
    close() {
      closed = true;
      for (const source of sources) source.close?.();
    },
  };
}

/** What the platform cannot tell is no fault. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

const NOTHING: Series = { inc() {}, dec() {}, set() {}, observe() {} };

function single(families: Families, key: ProcessMetricKey): Series {
  return families[key]?.bind({}) ?? NOTHING;
}

function processor(families: Families): Source {
  const [user, system, both] = [single(families, 'cpuUser'), single(families, 'cpuSystem'), single(families, 'cpu')];
  // From the start of the process, not of the registry: the first scrape says all there was.
  let last = { user: 0, system: 0 };
  return {
    read() {
      const now = process.cpuUsage();
      user.inc((now.user - last.user) / 1e6);
      system.inc((now.system - last.system) / 1e6);
      both.inc((now.user - last.user + now.system - last.system) / 1e6);
      last = now;
    },
  };
}

/** Sizes by the kernel (proc(5), /proc/self/status); elsewhere the resident one alone. */
function memory(families: Families): Source {
  return {
    read() {
      const status = attempt(() => readFileSync('/proc/self/status', 'utf8'));
      const bytes = (field: string): number | undefined => {
        const found = status === undefined ? null : new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status);
        return found ? Number(found[1]) * 1024 : undefined;
      };
      set(families.residentMemory, bytes('VmRSS') ?? process.memoryUsage.rss());
      set(families.virtualMemory, bytes('VmSize'));
      set(families.heap, bytes('VmData'));
    },
  };
}

function set(family: Family | undefined, value: number | undefined): void {
  if (value !== undefined) family?.bind({}).set(value);
}

function descriptors(families: Families): Source {
  const limits = attempt(() => readFileSync('/proc/self/limits', 'utf8'));
  const max = limits === undefined ? undefined : /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  if (max !== undefined) set(families.maxFds, Number(max));
  return { read: () => set(families.openFds, openDescriptors()) };
}

/** From Linux 6.2 the directory's size is the count; before that it is 0, and the names are counted. */
function openDescriptors(): number {
  const { size } = statSync('/proc/self/fd');
  // Less the one that reading the directory takes.
  return size > 0 ? size : readdirSync('/proc/self/fd').length - 1;
}

function heap(families: Families): Source {
  return {
    read() {
      const { heapTotal, heapUsed, external } = process.memoryUsage();
      set(families.heapTotal, heapTotal);
      set(families.heapUsed, heapUsed);
      set(families.external, external);
      for (const space of getHeapSpaceStatistics()) {
        const labels = { space: space.space_name.replace(/_space$/, '') };
        families.spaceTotal?.bind(labels).set(space.space_size);
        families.spaceUsed?.bind(labels).set(space.space_used_size);
        families.spaceAvailable?.bind(labels).set(space.space_available_size);
      }
    },
  };
}

/** Node's own lists, undocumented but kept: what prom-client reads. */
interface ProcessInside {
  _getActiveHandles?(): readonly unknown[];
  _getActiveRequests?(): readonly unknown[];
}

function active(families: Families): Source {
  const inside = process as unknown as ProcessInside;
  const lists: [Family | undefined, Series, () => readonly string[]][] = [
    [families.activeResources, single(families, 'activeResourcesTotal'), () => process.getActiveResourcesInfo()],
    [families.activeHandles, single(families, 'activeHandlesTotal'), () => classes(inside._getActiveHandles?.())],
    [families.activeRequests, single(families, 'activeRequestsTotal'), () => classes(inside._getActiveRequests?.())],
  ];
  return {
    read() {
      for (const [family, total, list] of lists) {
        const types = list();
        total.set(types.length);
        if (family !== undefined) countTypes(family, types);
      }
    },
  };
}

function classes(objects: readonly unknown[] = []): readonly string[] {
  return objects.map(
    (object) => (object as { constructor?: { name?: string } } | null)?.constructor?.name ?? 'unknown',
  );
}

/** Sets each type's count; a type that is gone goes to 0. */
function countTypes(family: Family, types: readonly string[]): void {
  for (const cell of family.cells()) cell.set(0);
  for (const type of types) family.bind({ type }).inc();
}

/**
 * The event loop's delay: of all samples since the last scrape, and of one turn. The turn begun at a scrape is told at
 * the next one, so that no scrape waits.
 */
function lag(families: Families): Source {
  const turn = single(families, 'lag');
  const time = (): void => {
    const start = performance.now();
    setImmediate(() => turn.set((performance.now() - start) / 1000));
  };
  time();
  const forScrapes = startDelays();
  // Of its own, so that a look takes nothing away from the next scrape; made once there is one.
  let forLooks: IntervalHistogram | undefined;
  const [min, max, mean] = [single(families, 'lagMin'), single(families, 'lagMax'), single(families, 'lagMean')];
  const stddev = single(families, 'lagStddev');
  const percentiles: [number, Series][] = [
    [50, single(families, 'lagP50')],
    [90, single(families, 'lagP90')],
    [99, single(families, 'lagP99')],
  ];
  return {
    read(isLook) {
      time();
      if (isLook) forLooks ??= startDelays();
      const delays = isLook && forLooks !== undefined ? forLooks : forScrapes;
      // Without a sample yet, Node tells NaN and 2^63.
      if (delays.count === 0) return;
      min.set(delays.min / 1e9);
      max.set(delays.max / 1e9);
      mean.set(delays.mean / 1e9);
      stddev.set(delays.stddev / 1e9);
      for (const [percentile, series] of percentiles) series.set(delays.percentile(percentile) / 1e9);
      delays.reset();
    },
    close() {
      forScrapes.disable();
      forLooks?.disable();
    },
  };
}

function startDelays(): IntervalHistogram {
  const delays = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  delays.enable();
  return delays;
}

function collections({ gc }: Families): Source {
  const kinds = new Map(
    Object.entries({
      major: constants.NODE_PERFORMANCE_GC_MAJOR,
      minor: constants.NODE_PERFORMANCE_GC_MINOR,
      incremental: constants.NODE_PERFORMANCE_GC_INCREMENTAL,
      weakcb: constants.NODE_PERFORMANCE_GC_WEAKCB,
    }).map(([kind, number]) => [number, gc?.bind({ kind })]),
  );
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind } = (entry as unknown as { detail: { kind: number } }).detail;
      kinds.get(kind)?.observe(entry.duration / 1000);
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return { read() {}, close: () => observer.disconnect() };
}

function build(families: Families): Source {
  const { version } = process;
  const [major = '', minor = '', patch = ''] = version.slice(1).split('.');
  families.version?.bind({ version, major, minor, patch }).set(1);
  set(families.startTime, Math.round(Date.now() / 1000 - process.uptime()));
  return { read() {} };
}
