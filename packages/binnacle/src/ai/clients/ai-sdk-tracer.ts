/** The tracer that AI SDK 6 takes: its spans are around what its models and tools do, and give what those gave. */
import {
  type Attributes,
  type Context,
  createContextKey,
  INVALID_SPAN_CONTEXT,
  type Span,
  type SpanOptions,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { activeContext, runWith } from '../../context.ts';
import type { OperationInfo } from '../info.ts';
import type { StartOperation } from '../operation.ts';
import { type PartEnd, parametersOf, readAnswer, readEmbedding } from './ai-sdk-model.ts';
import { AiSdkRun, beginPart, runModel, runTool, takeResult, toolInfo } from './ai-sdk-run.ts';
import { providerNameOf } from './provider-names.ts';
import { objectOf, stringOf } from './stainless.ts';
import { guard } from './watched.ts';

const RUN = createContextKey('binnacle ai sdk run');

/** The run that a context is within, or none. */
export function runIn(context: Context): AiSdkRun | undefined {
  const run = context.getValue(RUN);
  return run instanceof AiSdkRun ? run : undefined;
}

const TEXT: ReadonlySet<string> = new Set(['ai.generateText', 'ai.streamText']);
/** Embeddings and objects are one call of a model each: nothing is around them. */
const CALLS: ReadonlySet<string> = new Set([
  ...TEXT,
  'ai.generateObject',
  'ai.streamObject',
  'ai.embed',
  'ai.embedMany',
]);
const MODELS = /\.do(Generate|Stream|Embed)$/;

type Work = (span: Span) => unknown;

export function createTracer(start: StartOperation, idleMs: number): Tracer {
  const begin = (name: string, attributes: Attributes, work: Work): unknown => {
    if (CALLS.has(name)) return beginRun(start, name, attributes, work, idleMs);
    if (MODELS.test(name)) return beginModel(start, name, attributes, work);
    if (name === 'ai.toolCall') return beginTool(start, attributes, work);
    return work(spanOf());
  };
  return {
    // The SDK starts active spans alone.
    startSpan: () => spanOf(),
    startActiveSpan(name: string, ...rest: unknown[]): never {
      const work = rest.at(-1) as Work;
      const { attributes = {} } = (rest.length > 1 ? rest[0] : {}) as SpanOptions;
      return begin(name, attributes, work) as never;
    },
  };
}

/** A span that holds nothing, and tells of its end. */
function spanOf(onEnd: () => void = () => {}): Span {
  const silent = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
  return Object.assign(Object.create(silent) as Span, { end: () => guard(onEnd) });
}

async function beginRun(
  start: StartOperation,
  name: string,
  attributes: Attributes,
  work: Work,
  idleMs: number,
): Promise<unknown> {
  const run = openRun(start, name, attributes);
  if (run === undefined) return work(spanOf());
  const streams = name.startsWith('ai.stream');
  if (streams) run.streams(idleMs);
  // A stream has only begun when its work is done: its span tells of its end. Any other span ends whether it failed or not.
  const span = spanOf(() => void (streams && run.end()));
  try {
    const given = await run.run(() => runWith({ otel: activeContext().setValue(RUN, run) }, () => work(span)));
    if (!streams) guard(() => run.end());
    return given;
  } catch (error) {
    guard(() => run.error(error));
    throw error;
  }
}

/** None where it cannot be told of: then it is run all the same. */
function openRun(start: StartOperation, name: string, attributes: Attributes): AiSdkRun | undefined {
  try {
    if (!TEXT.has(name)) return new AiSdkRun(start);
    const agent = stringOf(attributes['ai.telemetry.functionId']);
    const info = { operation: 'invoke_agent', provider: '', model: '', name: agent };
    return new AiSdkRun(start, info, stringOf(attributes['ai.model.id']) ?? '');
  } catch {
    return undefined;
  }
}

function modelInfo(name: string, attributes: Attributes): OperationInfo {
  const settings: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(attributes))
    if (key.startsWith('ai.settings.')) settings[key.slice('ai.settings.'.length)] = value;
  // What a step changed is told under the conventions' names alone.
  settings.temperature = attributes['gen_ai.request.temperature'] ?? settings.temperature;
  settings.maxOutputTokens = attributes['gen_ai.request.max_tokens'] ?? settings.maxOutputTokens;
  return {
    operation: name.endsWith('.doEmbed') ? 'embeddings' : 'chat',
    provider: providerNameOf(stringOf(attributes['ai.model.provider']) ?? ''),
    model: stringOf(attributes['ai.model.id']) ?? '',
    stream: name.endsWith('.doStream'),
    parameters: parametersOf(settings),
    ...(/Object\./.test(name) && { outputType: 'json' }),
  };
}

function beginModel(start: StartOperation, name: string, attributes: Attributes, work: Work): unknown {
  const run = runIn(activeContext());
  const part = beginPart(start, run, modelInfo(name, attributes));
  if (part === undefined) return work(spanOf());
  guard(() => part.operation.input(promptOf(attributes)));
  return runModel(
    part,
    () => work(spanOf()),
    (given) => {
      if (name.endsWith('.doEmbed')) return takeResult(part, given, readEmbedding);
      if (!name.endsWith('.doStream')) return takeResult(part, given, readAnswer);
      // `{ doStreamSpan, result: { stream } }`: the stream is the model's own.
      return { ...given, result: takeResult(part, objectOf(given.result), readAnswer, (end) => endStream(run, end)) };
    },
  );
}

/** Of the end of a stream that breaks, or that its reader leaves, this SDK tells its run nothing. */
function endStream(run: AiSdkRun | undefined, end: PartEnd): void {
  if (end.how === 'abort' || (end.how === 'error' && end.broken)) run?.forget();
}

/** The prompt as the SDK tells it: JSON, the words of which count. */
function promptOf(attributes: Attributes): unknown {
  const values = attributes['ai.values'];
  if (values !== undefined) return values;
  const messages = attributes['ai.prompt.messages'];
  if (typeof messages !== 'string') return undefined;
  try {
    return JSON.parse(messages);
  } catch {
    return messages;
  }
}

function beginTool(start: StartOperation, attributes: Attributes, work: Work): unknown {
  const info = toolInfo(attributes['ai.toolCall.name'], attributes['ai.toolCall.id']);
  const part = beginPart(start, runIn(activeContext()), info);
  return part === undefined ? work(spanOf()) : runTool(part, () => work(spanOf()));
}
