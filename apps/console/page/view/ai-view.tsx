/** Calls of language models: what they cost, how fast they were, how they ended. */
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { type AiCall, byModel, callOf, type ModelSummary } from '../model/ai.ts';
import { compile, parseFilter, withTerm } from '../model/filter.ts';
import { clock, count, digits, dollars, duration, many } from '../model/format.ts';
import type { Ending } from '../model/kind.ts';
import { callLens } from '../model/lenses.ts';
import type { Spans } from '../model/spans.ts';
import { AiCallDetails } from './ai-call.tsx';
import { useApp, useVersion } from './context.ts';
import { type Column, List } from './list.tsx';
import { Empty, NoMatch } from './notice.tsx';
import { Badge } from './stat.tsx';
import { Code, Line } from './text.tsx';
import { Toolbar } from './toolbar.tsx';

export function AiView(): JSX.Element {
  const { console, place, change } = useApp();
  const { q = '', span: spanId, trace: traceId } = place.at;
  const version = useVersion(({ spans }) => spans.version);
  const all = useMemo(() => callsOf(console.spans), [version]);
  const shown = useMemo(() => (q === '' ? all : all.filter(compile(parseFilter(q), callLens))), [all, q]);
  const models = useMemo(() => byModel(shown), [shown]);
  const span = traceId === undefined || spanId === undefined ? undefined : console.spans.find(traceId, spanId);
  const selected = span === undefined ? undefined : callOf(span);
  return (
    <div class="view">
      <Toolbar
        search={{ label: 'Search calls of models', placeholder: 'Search, or model:gpt-* status:error first_chunk:>1s' }}
        figure={q === '' ? many(all.length, 'call') : `${count(shown.length)} of ${many(all.length, 'call')}`}
      />
      {models.length > 0 && (
        <Models models={models} onChoose={(model) => change({ q: withTerm(q, 'model', model) }, 'step')} />
      )}
      <div class="split">
        <List
          label="Calls of models, newest first"
          layout="ai"
          columns={COLUMNS}
          items={shown}
          keyOf={keyOf}
          rowHeight={36}
          selected={selected === undefined ? undefined : keyOf(selected)}
          look={({ ending }) => ({ class: ending === 'error' || ending === 'timeout' ? 'bad' : '' })}
          onOpen={(call) =>
            change({ trace: call.span.traceId, span: call.span.spanId }, selected === undefined ? 'step' : 'quiet')
          }
          empty={all.length > 0 ? <NoMatch what="call" /> : <NoCalls />}
        />
        {selected !== undefined && <AiCallDetails call={selected} />}
      </div>
    </div>
  );
}

function NoCalls(): JSX.Element {
  return (
    <Empty icon="ai" title="No call of a model yet">
      <p>Hand over the client of OpenAI, Anthropic or Google once, and each of its calls shows here:</p>
      <Code text="const openai = obs.ai.client(new OpenAI());" />
      <p class="muted">
        Any other by <code>obs.ai.stream(…)</code>; from another language by OpenTelemetry’s GenAI conventions.
      </p>
    </Empty>
  );
}

const keyOf = ({ span }: AiCall): string => `${span.traceId}/${span.spanId}`;

function callsOf(spans: Spans): AiCall[] {
  const calls: AiCall[] = [];
  for (const span of spans.newestFirst()) {
    const call = callOf(span);
    if (call !== undefined) calls.push(call);
  }
  return calls.sort((one, other) => other.start - one.start);
}

interface ModelsProps {
  readonly models: readonly ModelSummary[];
  readonly onChoose: (model: string) => void;
}

function Models({ models, onChoose }: ModelsProps): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways where it is narrow, by the keyboard too
    <section class="models" aria-label="By model" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col" class="right">
              Calls
            </th>
            <th scope="col">Endings</th>
            <th scope="col" class="right">
              Input
            </th>
            <th scope="col" class="right">
              Output
            </th>
            <th scope="col" class="right">
              Cost
            </th>
            <th scope="col" class="right">
              First chunk p50, p95
            </th>
            <th scope="col" class="right">
              Duration p50, p95
            </th>
            <th scope="col" class="right">
              Tokens/s
            </th>
          </tr>
        </thead>
        <tbody>
          {models.map((one) => (
            <Model key={`${one.model}/${one.provider}`} one={one} onChoose={onChoose} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Model({
  one,
  onChoose,
}: {
  readonly one: ModelSummary;
  readonly onChoose: (model: string) => void;
}): JSX.Element {
  const figure = (value: number): string => (Number.isNaN(value) ? '–' : duration(value));
  return (
    <tr>
      <th scope="row">
        <button type="button" class="link" onClick={() => onChoose(one.model)}>
          <Line text={one.model} limit={60} />
        </button>{' '}
        <span class="muted">
          <Line text={one.provider} limit={30} />
        </span>
      </th>
      <td class="right">{count(one.calls)}</td>
      <td>
        <Endings endings={one.endings} calls={one.calls} />
      </td>
      <td class="right">{count(one.input)}</td>
      <td class="right">{count(one.output)}</td>
      <td class="right">{dollars(one.cost)}</td>
      <td class="right">
        {figure(one.firstChunk[0])} <span class="muted">{figure(one.firstChunk[1])}</span>
      </td>
      <td class="right">
        {figure(one.duration[0])} <span class="muted">{figure(one.duration[1])}</span>
      </td>
      <td class="right">{Number.isNaN(one.tokensPerSecond) ? '–' : digits(one.tokensPerSecond)}</td>
    </tr>
  );
}

function Endings({ endings, calls }: Pick<ModelSummary, 'endings' | 'calls'>): JSX.Element {
  const parts = (['success', 'cancelled', 'timeout', 'error'] as const).filter((ending) => endings[ending] > 0);
  const words = parts.map((ending) => wordsOf(ending, endings[ending])).join(', ');
  const bad = parts.filter((ending) => ending !== 'success');
  return (
    <span class="endings" title={words}>
      <span class="endings-bar" aria-hidden="true">
        {parts.map((ending) => (
          <span key={ending} class={ending} style={{ width: `${((endings[ending] / calls) * 100).toFixed(2)}%` }} />
        ))}
      </span>
      <span class="unseen">{words}</span>
      <span class="muted" aria-hidden="true">
        {bad.map((ending) => wordsOf(ending, endings[ending])).join(', ')}
      </span>
    </span>
  );
}

function wordsOf(ending: Ending, value: number): string {
  return ending === 'error' || ending === 'timeout' ? many(value, ending) : `${count(value)} ${ending}`;
}

const number = (value: string): JSX.Element => <span class="number">{value}</span>;

const COLUMNS: readonly Column<AiCall>[] = [
  { key: 'time', name: 'Started', render: ({ start }) => <span class="muted">{clock(start)}</span> },
  {
    key: 'model',
    name: 'Model',
    render: ({ model, operation }) => (
      <>
        <Line text={model} limit={80} />{' '}
        <span class="muted">
          <Line text={operation} limit={30} />
        </span>
      </>
    ),
  },
  { key: 'duration', name: 'Duration', render: (call) => number(duration(call.duration)) },
  { key: 'first', name: 'First chunk', render: ({ firstChunk }) => number(duration(firstChunk)) },
  {
    key: 'tokens',
    name: 'Tokens in, out',
    render: ({ input, output }) =>
      number(input === undefined && output === undefined ? '–' : `${count(input)} → ${count(output)}`),
  },
  {
    key: 'speed',
    name: 'Tokens/s',
    render: ({ tokensPerSecond }) => number(tokensPerSecond === undefined ? '–' : digits(tokensPerSecond)),
  },
  { key: 'cost', name: 'Cost', render: ({ cost }) => number(dollars(cost)) },
  { key: 'status', name: 'Ended', render: ({ ending }) => <Badge tone={ending}>{ending}</Badge> },
];
