/** What Binnacle tells of itself, as rows of the catalogue. */
import type { bucketSets } from './catalogue.ts';

export type Kind = 'counter' | 'gauge' | 'histogram';

/**
 * What a scrape over several processes or threads makes of a gauge (counters and histograms are summed): one figure of
 * all of theirs, the `first` one's alone, or `each` one's own, told apart by the labels `worker` and `thread`. What is
 * of a `process` is told by each process, and by none of its threads; what is to `omit` is told by who answers.
 */
export type AcrossWorkers = 'sum' | 'max' | 'min' | 'average' | 'first' | 'each' | 'process' | 'omit';

/** One row of the catalogue. */
export interface Definition {
  readonly kind: Kind;
  readonly name: string;
  /** UCUM-like unit: `s`, `By`, `1` (ratio), `{token}`…; empty for plain counts. */
  readonly unit: string;
  readonly labels: readonly string[];
  readonly buckets?: keyof typeof bucketSets;
  readonly help: string;
  readonly namespaced?: boolean;
  /** `sum` unless told. */
  readonly workers?: AcrossWorkers;
}

export const ownCatalogue = {
  spans: {
    kind: 'counter',
    name: 'binnacle_spans_total',
    unit: '',
    labels: ['result'],
    help: 'Spans by what became of them: exported, dropped, failed; kept ones are among the exported too.',
  },
  tracesKept: {
    kind: 'counter',
    name: 'binnacle_traces_kept_total',
    unit: '',
    labels: ['reason'],
    help: 'Traces that were not sampled and were kept for how they ended (BINNACLE_KEEP): error, slow, abort.',
  },
  tracesLetGo: {
    kind: 'counter',
    name: 'binnacle_traces_let_go_total',
    unit: '',
    labels: ['why'],
    help: 'Traces that were recorded and not kept: ended_well, or overflow where there was no room for them.',
  },
  spanQueue: {
    kind: 'gauge',
    name: 'binnacle_span_queue',
    unit: '',
    labels: [],
    help: 'Spans waiting to be exported, those under way included.',
  },
  exporterUp: {
    kind: 'gauge',
    name: 'binnacle_exporter_up',
    unit: '',
    labels: [],
    workers: 'min',
    help: '1 while the last export succeeded, 0 after one failed; absent before the first.',
  },
  series: {
    kind: 'gauge',
    name: 'binnacle_series',
    unit: '',
    labels: ['metric'],
    workers: 'omit',
    help: 'Series of a metric now.',
  },
  seriesFolded: {
    kind: 'counter',
    name: 'binnacle_series_folded_total',
    unit: '',
    labels: ['metric'],
    help: 'Look-ups of a label set past the budget of its metric, folded into _other.',
  },
  scrapeDuration: {
    kind: 'gauge',
    name: 'binnacle_scrape_duration_seconds',
    unit: 's',
    labels: [],
    workers: 'omit',
    help: 'Time the last scrape took; 0 before the first.',
  },
  workersGathered: {
    kind: 'gauge',
    name: 'binnacle_workers_gathered',
    unit: '',
    labels: [],
    workers: 'omit',
    help: '1 where the scrape tells of all workers and threads, 0 where of the one that answered; absent where there are none.',
  },
  workerReportAge: {
    kind: 'gauge',
    name: 'binnacle_worker_report_age_seconds',
    unit: 's',
    labels: ['worker', 'thread'],
    workers: 'each',
    help: 'Age of the figures of each worker or thread in this scrape; it grows while one does not answer.',
  },
  logsWithoutContext: {
    kind: 'counter',
    name: 'binnacle_logs_without_context_total',
    unit: '',
    labels: [],
    help: 'Log lines written while no request was in hand.',
  },
  logLinesDropped: {
    kind: 'counter',
    name: 'binnacle_log_lines_dropped_total',
    unit: '',
    labels: [],
    help: 'Log lines dropped because their destination was full or failing.',
  },
} as const;
