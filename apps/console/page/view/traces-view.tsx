/** The list of traces; one of them, where the address names it. */
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { compile, parseFilter, withTerm } from '../model/filter.ts';
import { clock, count, duration, many } from '../model/format.ts';
import { endingOf, type Kind, kindOf } from '../model/kind.ts';
import { traceLens } from '../model/lenses.ts';
import { to } from '../model/place.ts';
import type { Trace } from '../model/spans.ts';
import { useApp, useVersion } from './context.ts';
import { KindMark } from './icons.tsx';
import { type Column, List } from './list.tsx';
import { statusWords, toneOf } from './live-view.tsx';
import { Empty, HowToSend, NoMatch } from './notice.tsx';
import { Badge } from './stat.tsx';
import { Line } from './text.tsx';
import { Choice, Toolbar } from './toolbar.tsx';
import { TraceView } from './trace-view.tsx';

const QUICK = {
  all: { name: 'All' },
  errors: { name: 'Errors', key: 'status', value: 'error', operator: '=' },
  slow: { name: 'Slow', key: 'duration', value: '1s', operator: '>' },
  ai: { name: 'AI', key: 'kind', value: 'ai', operator: '=' },
} as const;
type Quick = keyof typeof QUICK;

export function TracesView(): JSX.Element {
  const { place } = useApp();
  return place.at.trace === undefined ? <TraceList /> : <TraceView key={place.at.trace} id={place.at.trace} />;
}

function TraceList(): JSX.Element {
  const { console, place, change } = useApp();
  const { q = '' } = place.at;
  const version = useVersion(({ spans }) => spans.version);
  const all = useMemo(() => console.spans.traces(), [version]);
  const shown = useMemo(() => {
    const matches = compile(parseFilter(q), traceLens);
    return q === '' ? all : all.filter(matches);
  }, [all, q]);
  const longest = useMemo(() => shown.reduce((most, trace) => Math.max(most, trace.duration), 1), [shown]);
  const columns = useMemo(
    () =>
      columnsFor(
        longest,
        all.some(({ services }) => services.length > 1 || services[0] !== all[0]?.services[0]),
      ),
    [longest, all],
  );
  const quick = (Object.keys(QUICK) as Quick[]).find((name) => name !== 'all' && has(q, name)) ?? 'all';
  return (
    <div class="view">
      <Toolbar
        search={{ label: 'Search traces', placeholder: 'Search, or status:error duration:>500ms route:/api/*' }}
        figure={q === '' ? many(all.length, 'trace') : `${count(shown.length)} of ${many(all.length, 'trace')}`}
      >
        <Choice
          label="Which traces"
          value={quick}
          choices={(Object.keys(QUICK) as Quick[]).map((name) => [name, QUICK[name].name] as const)}
          onChoose={(name) => change({ q: quickQuery(q, name) }, 'step')}
        />
      </Toolbar>
      <List
        label="Traces, newest first"
        layout="traces"
        columns={columns}
        items={shown}
        keyOf={({ id }) => id}
        rowHeight={36}
        look={({ errors }) => ({ class: errors > 0 ? 'bad' : '' })}
        onOpen={({ id }) => change({ trace: id }, 'step')}
        empty={
          all.length > 0 ? (
            <NoMatch what="trace" />
          ) : (
            <Empty icon="traces" title="No traces yet">
              <HowToSend />
              <p class="muted">
                A trace is a request with all that it asked of others: phases, models, databases, Redis, other services.
              </p>
            </Empty>
          )
        }
      />
    </div>
  );
}

function has(q: string, name: Exclude<Quick, 'all'>): boolean {
  const { key, value, operator } = QUICK[name];
  return parseFilter(q).some((term) => term.key === key && term.value === value && term.operator === operator);
}

function quickQuery(q: string, name: Quick): string {
  let text = q;
  for (const other of ['errors', 'slow', 'ai'] as const)
    if (has(text, other)) text = withTerm(text, QUICK[other].key, undefined);
  if (name === 'all') return text;
  const { key, value, operator } = QUICK[name];
  return withTerm(text, key, value, operator);
}

/** What a trace is made of beside itself. */
const MARKED: readonly Kind[] = ['phase', 'ai', 'database', 'redis', 'client', 'queue'];

function columnsFor(longest: number, manyServices: boolean): Column<Trace>[] {
  return [
    { key: 'time', name: 'Started', render: ({ start }) => <span class="muted">{clock(start)}</span> },
    { key: 'name', name: 'Request', render: (trace) => <TraceName trace={trace} manyServices={manyServices} /> },
    {
      key: 'bar',
      name: 'Duration',
      render: (trace) => (
        <>
          <span class="duration-bar" aria-hidden="true">
            <span
              class={tone(trace)}
              style={{ width: `${Math.max(0.6, (trace.duration / longest) * 100).toFixed(1)}%` }}
            />
          </span>
          <span class="number">{duration(trace.duration)}</span>
        </>
      ),
    },
    {
      key: 'spans',
      name: 'Spans',
      render: ({ spans, kinds }) => (
        <>
          <span class="number">{count(spans.length)}</span>
          <span class="marks">
            {MARKED.map((kind) => kinds[kind] !== undefined && <KindMark key={kind} kind={kind} />)}
          </span>
        </>
      ),
    },
    { key: 'status', name: 'Status', render: (trace) => <TraceStatus trace={trace} /> },
  ];
}

function tone({ root, errors }: Trace): string {
  const ending = root === undefined ? 'success' : endingOf(root);
  return ending === 'success' && errors > 0 ? 'partly' : ending;
}

function TraceName({ trace, manyServices }: { readonly trace: Trace; readonly manyServices: boolean }): JSX.Element {
  const { root, id, services } = trace;
  return (
    <>
      {root !== undefined && <KindMark kind={kindOf(root)} />}
      <a href={to('traces', { trace: id })} tabIndex={-1}>
        <Line text={root?.name ?? '(no spans)'} limit={160} />
      </a>
      {manyServices && (
        <span class="services muted">
          <Line text={services.join(', ')} limit={60} />
        </span>
      )}
    </>
  );
}

function TraceStatus({ trace }: { readonly trace: Trace }): JSX.Element {
  const { root, errors } = trace;
  if (root === undefined) return <span />;
  const ending = tone(trace) === 'success' ? toneOf(root) : tone(trace);
  return (
    <>
      <Badge tone={ending}>{statusWords(root)}</Badge>
      {errors > 0 && <span class="muted errors-inside">{many(errors, 'error')}</span>}
    </>
  );
}
