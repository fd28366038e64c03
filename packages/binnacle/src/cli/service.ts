/** A running service, asked as Prometheus and Kubernetes ask it. */
import { type Answer, ask } from './ask.ts';
import { type Finding, note, ok, problem } from './findings.ts';
import { parseSamples } from './samples.ts';
import { readScrape } from './scrape.ts';

export interface ServiceOptions {
  /** Where it answers, without the path of a probe. */
  readonly url: string;
  /** True where `url` comes from MANAGEMENT_PORT: the service may well not run. */
  readonly implied: boolean;
  /** Another port that answers the probes, where it is known. */
  readonly managementPort: number | undefined;
  /** The bearer of `/metrics`. */
  readonly token: string | undefined;
  /** For each answer, in milliseconds. */
  readonly limitMs: number;
}

export async function checkService(options: ServiceOptions): Promise<Finding[]> {
  const { url, implied, token, limitMs } = options;
  const headers = { accept: 'text/plain;version=0.0.4' };
  const metrics = await ask(join(url, 'metrics'), {
    method: 'GET',
    headers: token === undefined ? headers : { ...headers, authorization: `Bearer ${token}` },
    limitMs,
  });
  if (metrics.kind === 'failed' && implied) {
    return [note('service', `none answers on MANAGEMENT_PORT (${metrics.code})`, 'start it, or name it by --url URL')];
  }
  if (metrics.kind === 'failed') return [describeUnreachable(metrics.code)];
  const health = await ask(join(url, 'health'), { method: 'GET', headers: { accept: 'application/json' }, limitMs });
  return [...describeMetrics(metrics, options), ...describeHealth(health)];
}

function join(url: string, path: string): string {
  const base = new URL(url);
  base.pathname = `${base.pathname.replace(/\/+$/, '')}/${path}`;
  base.search = '';
  base.hash = '';
  return base.href;
}

function describeUnreachable(code: string): Finding {
  const what = code === 'timeout' ? 'does not answer in time' : `cannot be reached: ${code}`;
  return problem('service', what, 'is it running, and is this its host and port?');
}

function describeMetrics(answer: Extract<Answer, { kind: 'answered' }>, options: ServiceOptions): Finding[] {
  const { status, body } = answer;
  if (status === 200) return readScrape(parseSamples(body));
  const what = `answers ${status}`;
  if (status === 401 || status === 403) {
    const mend =
      options.token === undefined
        ? 'set METRICS_TOKEN here as the service has it'
        : 'METRICS_TOKEN here is not that of the service';
    return [problem('/metrics', what, mend)];
  }
  if (status !== 404) return [problem('/metrics', what, "look at the service's log")];
  const { managementPort } = options;
  const other =
    managementPort === undefined ? '' : `; with MANAGEMENT_PORT, ask --url http://127.0.0.1:${managementPort}`;
  return [problem('/metrics', what, `register the adapter, and leave METRICS_ENABLED on${other}`)];
}

function describeHealth(answer: Answer): Finding[] {
  if (answer.kind === 'failed')
    return [problem('/health', `does not answer: ${answer.code}`, 'look at what holds it up')];
  const report = parseReport(answer.body);
  if (report === undefined) {
    return [
      problem('/health', `answers ${answer.status} and no report`, 'let the adapter answer it, or ask MANAGEMENT_PORT'),
    ];
  }
  const failing = report.checks.filter(({ status }) => status !== 'healthy').map(describeCheck);
  if (report.draining) return [note('/health', 'the service is shutting down'), ...failing];
  if (failing.length > 0) return failing;
  return report.status === 'healthy' ? [ok('/health', 'healthy')] : [note('/health', report.status)];
}

interface Check {
  readonly name: string;
  readonly status: string;
  readonly critical: boolean;
  /** A code. */
  readonly error: string | undefined;
}

function describeCheck({ name, status, critical, error }: Check): Finding {
  const subject = `check ${name}`;
  const why = error === undefined ? status : `${status}: ${error}`;
  if (status === 'unhealthy' && critical) {
    return problem(subject, `${why}; the service takes no work`, `mend ${name}, or take it out of HEALTH_CRITICAL`);
  }
  if (status === 'unhealthy') return problem(subject, why, `mend ${name}; the service works on without it`);
  return note(subject, why, `GET /health says more of ${name}`);
}

interface HealthReport {
  readonly status: string;
  readonly draining: boolean;
  readonly checks: readonly Check[];
}

/** The most checks that are looked at, of a report that may be anybody's. */
const MAX_CHECKS = 100;

function parseReport(body: string): HealthReport | undefined {
  let report: unknown;
  try {
    report = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (!isObject(report) || !isObject(report.checks)) return undefined;
  const checks = Object.entries(report.checks).slice(0, MAX_CHECKS);
  return {
    status: wordOf(report.status) ?? 'unknown',
    draining: report.draining === true,
    checks: checks.flatMap(([name, check]) => (isObject(check) ? [toCheck(name, check)] : [])),
  };
}

function toCheck(name: string, { status, critical, error }: Readonly<Record<string, unknown>>): Check {
  return {
    name: name.slice(0, 60),
    status: wordOf(status) ?? 'unknown',
    critical: critical === true,
    error: wordOf(error),
  };
}

/** Words and codes alone: what else stands there may hold anything. */
function wordOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w.:-]{1,60}$/.test(value) ? value : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
