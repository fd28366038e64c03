/** docs/reference/checks.md: the ready-made health checks, run as they are to tell what they give. */
import { createSettings } from '../../packages/binnacle/src/settings.ts';
import { code, codes, pageOf, tableOf } from './markdown.ts';

export interface CheckRow {
  /** The function of the library's. */
  readonly made: string;
  /** The name that it has by custom. */
  readonly name: string;
  readonly unhealthy: string;
  readonly degraded: string;
  readonly details: readonly string[];
}

/** A test runs each with these bounds. */
export const checks: readonly CheckRow[] = [
  {
    made: "database(() => pool.query('SELECT 1'))",
    name: 'database',
    unhealthy: 'the query fails',
    degraded: '—',
    details: [],
  },
  { made: 'redis(client)', name: 'redis', unhealthy: '`PING` fails', degraded: '—', details: [] },
  {
    made: 'disk(path)',
    name: 'disk',
    unhealthy: 'less than 64 MiB free (`unhealthyBelowBytes`); error `disk_full`',
    degraded: 'less than 512 MiB free (`degradedBelowBytes`)',
    details: ['free_bytes', 'total_bytes'],
  },
  {
    made: 'memory()',
    name: 'memory',
    unhealthy: '—',
    degraded: "more than 95% of the container's limit, else of the machine's, in use (`degradedAbove`)",
    details: ['used_bytes', 'limit_bytes'],
  },
  {
    made: 'eventLoop()',
    name: 'event_loop',
    unhealthy: '—',
    degraded: "its delay's 99th percentile since the check before is above 500 ms (`degradedAboveMs`)",
    details: ['p99_ms', 'max_ms'],
  },
];

export function checksPage(): string {
  const { critical, intervalMs } = createSettings({ service: 'service', env: {} }).health;
  return pageOf(
    'Health checks',
    `Ready-made checks for \`obs.health.check(name, check)\`. They run in the background, every ${intervalMs} ms (\`HEALTH_INTERVAL_MS\`), one run of each at a time, for 2,000 ms at most (\`timeoutMs\`), and leave no span. A check of yours is any function: nothing returned is healthy, a throw is unhealthy.`,
    tableOf(
      ['check', 'name by custom', 'critical', 'unhealthy', 'degraded', 'details'],
      checks.map(({ made, name, unhealthy, degraded, details }) => [
        code(made),
        code(name),
        critical.includes(name) ? 'yes' : 'no',
        unhealthy,
        degraded,
        codes(details),
      ]),
    ),
    `Critical are those that \`HEALTH_CRITICAL\` names (${codes(critical)} unless told), or \`{ critical: true }\` in code says. A critical check that is unhealthy makes the service \`unhealthy\`: \`/health/ready\` is 503. Any other trouble makes it \`degraded\`, with 200. Before its first run a check is \`starting\`: unhealthy where it is critical, else degraded.`,
    "A report has of each `status`, `critical`, `duration_ms`, `age_ms`, the details above, and `error`: a code (`ECONNREFUSED`, `timeout`), never a driver's words.",
  );
}
