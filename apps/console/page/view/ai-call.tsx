/** One call of a model. */
import type { JSX } from 'preact';
import type { AiCall } from '../model/ai.ts';
import { count, digits, dollars, duration } from '../model/format.ts';
import { linesOf, metricOf } from '../model/links.ts';
import { to } from '../model/place.ts';
import { ChunkTimeline } from './chunk-timeline.tsx';
import { useApp, useVersion } from './context.ts';
import { Fields } from './fields.tsx';
import { KindMark } from './icons.tsx';
import { Pane } from './pane.tsx';
import { Badge, Facts } from './stat.tsx';
import { Line, LongText } from './text.tsx';

export function AiCallDetails({ call }: { readonly call: AiCall }): JSX.Element {
  const { console, change } = useApp();
  useVersion(({ metrics }) => metrics.families.size);
  const { span } = call;
  const chunks = console.spans.chunksOf(span);
  const metric = metricOf(span, (name) => console.metrics.families.has(name));
  const isStream = call.firstChunk !== undefined || chunks !== undefined;
  return (
    <Pane
      label="Call of a model"
      title={
        <>
          <KindMark kind="ai" />
          <Line text={call.model} limit={100} />
        </>
      }
      onClose={() => change({ span: undefined, trace: undefined }, 'step')}
    >
      <Facts
        facts={[
          { name: 'Ended', value: <Badge tone={call.ending}>{call.ending}</Badge> },
          { name: 'Duration', value: duration(call.duration) },
          { name: 'First chunk', value: duration(call.firstChunk) },
          { name: 'Tokens/s', value: call.tokensPerSecond === undefined ? '–' : digits(call.tokensPerSecond) },
          { name: 'Input', value: count(call.input) },
          { name: 'Output', value: count(call.output) },
          { name: 'Cost', value: dollars(call.cost) },
          {
            name: 'Finished by',
            value: call.finishReasons.length === 0 ? '–' : <Line text={call.finishReasons.join(', ')} limit={40} />,
          },
        ]}
      />
      {span.statusMessage !== undefined && span.statusMessage !== '' && (
        <p class="trouble">
          <LongText text={span.statusMessage} />
        </p>
      )}
      <p class="links">
        <a href={to('traces', { trace: span.traceId, span: span.spanId })}>Its trace</a>
        <a href={linesOf('trace_id', span.traceId)}>Log lines of the trace</a>
        {metric !== undefined && <a href={metric.href}>{metric.name}</a>}
      </p>
      {chunks !== undefined && <ChunkTimeline times={chunks} duration={span.duration} />}
      {isStream && chunks === undefined && (
        <p class="muted">When its chunks came is kept of the newest calls of this process only.</p>
      )}
      <h3>Attributes</h3>
      <Fields fields={span.attributes} />
    </Pane>
  );
}
