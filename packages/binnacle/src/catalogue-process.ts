/**
 * Metrics of the process and of Node.js, named as prom-client 15 names its default metrics
 * (https://github.com/siimon/prom-client/tree/v15.1.3/lib/metrics), so that dashboards made for those keep working.
 */
import type { Definition } from './catalogue.ts';

/** A row of the process table; `legacy` rows are defined only where NODEJS_LEGACY_METRICS asks for them. */
export interface ProcessDefinition extends Definition {
  readonly legacy?: boolean;
}

export const processCatalogue = {
  // The process, as the operating system sees it.
  cpuUser: {
    kind: 'counter',
    name: 'process_cpu_user_seconds_total',
    unit: 's',
    labels: [],
    workers: 'process',
    help: 'Total user CPU time spent in seconds.',
  },
  cpuSystem: {
    kind: 'counter',
    name: 'process_cpu_system_seconds_total',
    unit: 's',
    labels: [],
    workers: 'process',
    help: 'Total system CPU time spent in seconds.',
  },
  cpu: {
    kind: 'counter',
    name: 'process_cpu_seconds_total',
    unit: 's',
    labels: [],
    workers: 'process',
    help: 'Total user and system CPU time spent in seconds.',
  },
  startTime: {
    kind: 'gauge',
    name: 'process_start_time_seconds',
    unit: 's',
    labels: [],
    workers: 'process',
    help: 'Start time of the process since unix epoch in seconds.',
  },
  residentMemory: {
    kind: 'gauge',
    name: 'process_resident_memory_bytes',
    unit: 'By',
    labels: [],
    workers: 'process',
    help: 'Resident memory size in bytes.',
  },
  virtualMemory: {
    kind: 'gauge',
    name: 'process_virtual_memory_bytes',
    unit: 'By',
    labels: [],
    workers: 'process',
    help: 'Virtual memory size in bytes.',
  },
  heap: {
    kind: 'gauge',
    name: 'process_heap_bytes',
    unit: 'By',
    labels: [],
    workers: 'process',
    help: 'Process heap size in bytes.',
  },
  openFds: {
    kind: 'gauge',
    name: 'process_open_fds',
    unit: '',
    labels: [],
    workers: 'process',
    help: 'Number of open file descriptors.',
  },
  maxFds: {
    kind: 'gauge',
    name: 'process_max_fds',
    unit: '',
    labels: [],
    workers: 'process',
    help: 'Maximum number of open file descriptors.',
  },

  // The event loop. All but the first cover the time since the last scrape.
  lag: {
    kind: 'gauge',
    name: 'nodejs_eventloop_lag_seconds',
    unit: 's',
    labels: [],
    workers: 'each',
    help: 'Lag of event loop in seconds, as measured at the scrape before.',
  },
  lagMin: {
    kind: 'gauge',
    name: 'nodejs_eventloop_lag_min_seconds',
    unit: 's',
    labels: [],
    workers: 'each',
    help: 'The minimum recorded event loop delay.',
  },
  lagMax: {
    kind: 'gauge',
    name: 'nodejs_eventloop_lag_max_seconds',
    unit: 's',
    labels: [],
    workers: 'each',
    help: 'The maximum recorded event loop delay.',
  },
  lagMean: {
    kind: 'gauge',
    name: 'nodejs_eventloop_lag_mean_seconds',
    unit: 's',
    labels: [],
    workers: 'each',
    help: 'The mean of the recorded event loop delays.',
  },
  lagStddev: {
    kind: 'gauge',
    name: 'nodejs_eventloop_lag_stddev_seconds',
    unit: 's',
    labels: [],
    workers: 'each',
    help: 'The standard deviation of the recorded event loop delays.',
  },
  lagP50: {
    kind: 'gauge',
    name: 'nodejs_eventloop_lag_p50_seconds',
    unit: 's',
    labels: [],
    workers: 'each',
    help: 'The 50th percentile of the recorded event loop delays.',
  },
  lagP90: {
    kind: 'gauge',
    name: 'nodejs_eventloop_lag_p90_seconds',
    unit: 's',
    labels: [],
    workers: 'each',
    help: 'The 90th percentile of the recorded event loop delays.',
  },
  lagP99: {
    kind: 'gauge',
    name: 'nodejs_eventloop_lag_p99_seconds',
    unit: 's',
    labels: [],
    workers: 'each',
    help: 'The 99th percentile of the recorded event loop delays.',
  },

  // What keeps the event loop alive.
  activeResources: {
    kind: 'gauge',
    name: 'nodejs_active_resources',
    unit: '',
    labels: ['type'],
    workers: 'each',
    help: 'Number of active resources that are currently keeping the event loop alive, grouped by async resource type.',
  },
  activeHandles: {
    kind: 'gauge',
    name: 'nodejs_active_handles',
    unit: '',
    labels: ['type'],
    workers: 'each',
    help: 'Number of active libuv handles grouped by handle type. Every handle type is C++ class name.',
  },
  activeRequests: {
    kind: 'gauge',
    name: 'nodejs_active_requests',
    unit: '',
    labels: ['type'],
    workers: 'each',
    help: 'Number of active libuv requests grouped by request type. Every request type is C++ class name.',
  },
  activeResourcesTotal: {
    kind: 'gauge',
    name: 'nodejs_active_resources_total',
    unit: '',
    labels: [],
    workers: 'each',
    help: 'Total number of active resources.',
    legacy: true,
  },
  activeHandlesTotal: {
    kind: 'gauge',
    name: 'nodejs_active_handles_total',
    unit: '',
    labels: [],
    workers: 'each',
    help: 'Total number of active handles.',
    legacy: true,
  },
  activeRequestsTotal: {
    kind: 'gauge',
    name: 'nodejs_active_requests_total',
    unit: '',
    labels: [],
    workers: 'each',
    help: 'Total number of active requests.',
    legacy: true,
  },

  // V8's memory.
  heapTotal: {
    kind: 'gauge',
    name: 'nodejs_heap_size_total_bytes',
    unit: 'By',
    labels: [],
    workers: 'each',
    help: 'Process heap size from Node.js in bytes.',
  },
  heapUsed: {
    kind: 'gauge',
    name: 'nodejs_heap_size_used_bytes',
    unit: 'By',
    labels: [],
    workers: 'each',
    help: 'Process heap size used from Node.js in bytes.',
  },
  external: {
    kind: 'gauge',
    name: 'nodejs_external_memory_bytes',
    unit: 'By',
    labels: [],
    workers: 'each',
    help: 'Node.js external memory size in bytes.',
  },
  spaceTotal: {
    kind: 'gauge',
    name: 'nodejs_heap_space_size_total_bytes',
    unit: 'By',
    labels: ['space'],
    workers: 'each',
    help: 'Process heap space size total from Node.js in bytes.',
  },
  spaceUsed: {
    kind: 'gauge',
    name: 'nodejs_heap_space_size_used_bytes',
    unit: 'By',
    labels: ['space'],
    workers: 'each',
    help: 'Process heap space size used from Node.js in bytes.',
  },
  spaceAvailable: {
    kind: 'gauge',
    name: 'nodejs_heap_space_size_available_bytes',
    unit: 'By',
    labels: ['space'],
    workers: 'each',
    help: 'Process heap space size available from Node.js in bytes.',
  },
  gc: {
    kind: 'histogram',
    name: 'nodejs_gc_duration_seconds',
    unit: 's',
    labels: ['kind'],
    buckets: 'gc',
    help: 'Garbage collection duration by kind, one of major, minor, incremental or weakcb.',
  },
  version: {
    kind: 'gauge',
    name: 'nodejs_version_info',
    unit: '',
    labels: ['version', 'major', 'minor', 'patch'],
    workers: 'max',
    help: 'Node.js version info.',
  },
} as const;

export type ProcessCatalogue = typeof processCatalogue;
export type ProcessMetricKey = keyof ProcessCatalogue;

/** The rows as plain definitions, for whoever walks the table. */
export const processDefinitions: Readonly<Record<ProcessMetricKey, ProcessDefinition>> = processCatalogue;
