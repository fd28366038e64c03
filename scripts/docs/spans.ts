/** docs/reference/spans.md, of the list of spans. */
import { code, codes, pageOf } from './markdown.ts';
import { type SpanRow, spans } from './span-list.ts';

export function spansPage(): string {
  return pageOf(
    'Spans',
    "All of the instrumentation scope `binnacle`, with attributes by OpenTelemetry's semantic conventions; those of `binnacle.*` are ours. An attribute is there where it applies.",
    '`session.id` is on every span of a session, yours too. `binnacle.kept` (`error`, `slow`, `abort`) is on every span that was not sampled and is exported by `BINNACLE_KEEP`. Words of prompts and answers (`gen_ai.*.messages`) are written only where `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` asks for them. A span is an error when its work failed or ran out of time; a cancelled one is not.',
    ...spans.map(sectionOf),
  );
}

function sectionOf({ name, kind, of, attributes, events = [] }: SpanRow): string {
  const parts = [`## ${code(name)}`, `${kind}. ${of}`, codes(attributes)];
  return [...parts, ...(events.length === 0 ? [] : [`Events: ${codes(events)}`])].join('\n\n');
}
