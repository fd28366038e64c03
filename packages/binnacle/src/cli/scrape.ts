/** What a service's own metrics say about how it is observed. */
import { catalogue } from '../catalogue.ts';
import { counted, type Finding, note, ok, problem } from './findings.ts';
import { type Samples, sumSamples } from './samples.ts';

/** Requests below which shares say nothing. */
const FEW = 20;
/** Delay of the event loop as the `event_loop` check has it, in seconds: `degraded` from here on. */
const LATE_S = 0.5;
const SLOW_S = 0.1;

export function readScrape(samples: Samples): Finding[] {
  if (!samples.has(catalogue.logsWithoutContext.name)) {
    return [
      problem(
        '/metrics',
        'these are not the metrics of Binnacle',
        'hand prom-client registries to observe({ registries }), and let Binnacle answer /metrics',
      ),
    ];
  }
  const served = sumSamples(samples, `${catalogue.httpDuration.name}_count`) ?? 0;
  return [
    describeServed(samples, served),
    ...describeContext(samples, served),
    ...describeExporter(samples),
    ...describeSpans(samples),
    ...describeFolded(samples),
    ...describeLines(samples),
    ...describeLag(samples),
    ...describeWorkers(samples),
  ];
}

function describeServed(samples: Samples, served: number): Finding {
  if (served === 0) {
    return note(
      'requests',
      'none were observed yet',
      'send some; if there were any, look whether the adapter is registered',
    );
  }
  const name = `${catalogue.httpDuration.name}_count`;
  const unmatched = sumSamples(samples, name, { http_route: '__unmatched__' }) ?? 0;
  const share = unmatched / served;
  const what = `${counted(served, 'request')}, ${Math.round(share * 100)} % of them of no route`;
  if (served < FEW || share < 0.1) return ok('requests', what);
  const mend =
    'register the adapter before the routes, and on the app that serves them; or see who asks for what is not there';
  return share > 0.9 ? problem('requests', what, mend) : note('requests', what, mend);
}

/** Lines of the start and of background work have no request; as many as requests come from requests. */
function describeContext(samples: Samples, served: number): Finding[] {
  const lost = sumSamples(samples, catalogue.logsWithoutContext.name) ?? 0;
  const what = `${counted(lost, 'log line')} without a request in hand, ${counted(served, 'request')} served`;
  if (served < FEW || lost < FEW || lost < served * 0.1) return [ok('context', what)];
  const mend = 'bind callbacks of pools, queues and emitters to their request: obs.bind(callback)';
  return [lost >= served ? problem('context', what, mend) : note('context', what, mend)];
}

function describeExporter(samples: Samples): Finding[] {
  const up = sumSamples(samples, catalogue.exporterUp.name);
  if (up === undefined) return [note('exporter', 'nothing was exported yet')];
  if (up === 1) return [ok('exporter', 'the last export succeeded')];
  return [problem('exporter', 'the last export failed', 'look at the section Traces, and at the log for why')];
}

function describeSpans(samples: Samples): Finding[] {
  const count = (result: string): number => sumSamples(samples, catalogue.spans.name, { result }) ?? 0;
  const findings: Finding[] = [];
  const exported = count('exported');
  if (count('dropped') > 0) {
    const what = `${counted(count('dropped'), 'span')} dropped, ${exported} exported`;
    findings.push(
      problem('spans', what, 'raise OTEL_BSP_MAX_QUEUE_SIZE, or sample less (OTEL_TRACES_SAMPLER); the log says why'),
    );
  }
  if (count('failed') > 0) {
    const what = `${counted(count('failed'), 'span')} failed to be sent, ${exported} exported`;
    findings.push(problem('spans', what, 'look at what the collector answers: the log says it once an outage'));
  }
  return findings.length > 0 ? findings : [ok('spans', `${exported} exported, none dropped or failed`)];
}

/** The metrics that are told of by name. */
const MOST_FOLDED = 3;

function describeFolded(samples: Samples): Finding[] {
  const folded = (samples.get(catalogue.seriesFolded.name) ?? [])
    .map(({ labels, value }) => ({ metric: labels.metric ?? 'unknown', value }))
    .filter(({ value }) => value > 0)
    .sort((a, b) => b.value - a.value);
  if (folded.length === 0) return [ok('series', 'none folded')];
  const first = folded.slice(0, MOST_FOLDED).map(({ metric, value }) => `${metric} (${value} times)`);
  const rest = folded.length - first.length;
  const what = `past their budget, folded into _other: ${first.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
  const mend = `take ids and free text out of the labels, or observe({ maxSeries: { ${folded[0]?.metric}: 5000 } })`;
  return [problem('series', what, mend)];
}

function describeLines(samples: Samples): Finding[] {
  const dropped = sumSamples(samples, catalogue.logLinesDropped.name) ?? 0;
  if (dropped === 0) return [ok('log lines', 'none dropped')];
  const what = `${counted(dropped, 'line')} dropped: who reads them is too slow, or the disk is full`;
  return [
    problem('log lines', what, 'read standard output faster, write less (LOG_LEVELS), or free the disk of LOG_FILE'),
  ];
}

function describeLag(samples: Samples): Finding[] {
  // One of each worker, where there are some: the latest loop counts.
  const lags = (samples.get('nodejs_eventloop_lag_p99_seconds') ?? []).filter(({ value }) => !Number.isNaN(value));
  if (lags.length === 0) return [];
  const lag = Math.max(...lags.map(({ value }) => value));
  const what = `99 % of turns are at most ${Math.round(lag * 1000)} ms late`;
  if (lag < SLOW_S) return [ok('event loop', what)];
  const mend = 'find what blocks it: node --cpu-prof; move long work to a worker, or split it';
  return [lag < LATE_S ? note('event loop', what, mend) : problem('event loop', what, mend)];
}

/** Told only where there are workers or threads. */
function describeWorkers(samples: Samples): Finding[] {
  const gathered = sumSamples(samples, catalogue.workersGathered.name);
  if (gathered === undefined) return [];
  const workers = samples.get(catalogue.workerReportAge.name)?.length ?? 0;
  if (gathered > 0) return [ok('workers', `/metrics tells of ${counted(workers, 'worker')}`)];
  const mend = 'call observe() or gatherWorkers() in the primary of the cluster, or in the main thread';
  return [problem('workers', '/metrics tells of the worker alone that happens to answer', mend)];
}
