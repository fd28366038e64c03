/** What an AI operation is, in the words of OpenTelemetry's GenAI conventions (in development). */
import { type Attributes, SpanKind } from '@opentelemetry/api';

/** Parameters of a request, under the conventions' names without `gen_ai.request.`. */
export interface RequestParameters {
  readonly temperature?: number | undefined;
  readonly topP?: number | undefined;
  readonly topK?: number | undefined;
  readonly maxTokens?: number | undefined;
  readonly frequencyPenalty?: number | undefined;
  readonly presencePenalty?: number | undefined;
  readonly seed?: number | undefined;
  readonly choices?: number | undefined;
  readonly stopSequences?: readonly string[] | undefined;
  readonly dimensions?: number | undefined;
}

export interface OperationInfo {
  /** `gen_ai.operation.name`: `chat`, `generate_content`, `embeddings`, `execute_tool`, `invoke_agent`, `invoke_workflow`… */
  readonly operation: string;
  /** `gen_ai.provider.name`: `openai`, `anthropic`, `gcp.gemini`, `embedded`…; `''` where there is none. */
  readonly provider: string;
  /** `gen_ai.request.model`; `''` for tools and agents, which have none. */
  readonly model: string;
  /** The tool's, agent's or workflow's name, for operations that have one. */
  readonly name?: string | undefined;
  /** `gen_ai.tool.call.id` or `gen_ai.agent.id`. */
  readonly id?: string | undefined;
  /** `gen_ai.request.stream`. */
  readonly stream?: boolean | undefined;
  readonly parameters?: RequestParameters | undefined;
  /** `server.address` and `server.port` of the endpoint. */
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  /** `gen_ai.output.type`: `text`, `json`… */
  readonly outputType?: string | undefined;
  /** `gen_ai.conversation.id`, where it is not the session's. */
  readonly conversationId?: string | undefined;
}

/** Operations that ask a model, and count as LLM calls; tools, agents and workflows contain such. */
const INFERENCES: ReadonlySet<string> = new Set(['chat', 'text_completion', 'generate_content', 'embeddings']);

export function isInference({ operation }: OperationInfo): boolean {
  return INFERENCES.has(operation);
}

/** `chat gpt-4.1`, `execute_tool search`, `invoke_agent planner`: the operation and what it is about. */
export function spanNameOf({ operation, model, name }: OperationInfo): string {
  const about = name ?? model;
  return about === '' ? operation : `${operation} ${about}`;
}

/** Operations of this process itself are INTERNAL: the embedded analyst, tools, agents, workflows. */
export function spanKindOf(info: OperationInfo): SpanKind {
  return info.provider === 'embedded' || !isInference(info) ? SpanKind.INTERNAL : SpanKind.CLIENT;
}

const NAMES: Readonly<Record<string, readonly [name: string, id: string]>> = {
  execute_tool: ['gen_ai.tool.name', 'gen_ai.tool.call.id'],
  invoke_agent: ['gen_ai.agent.name', 'gen_ai.agent.id'],
  create_agent: ['gen_ai.agent.name', 'gen_ai.agent.id'],
  invoke_workflow: ['gen_ai.workflow.name', ''],
};

/** `older` writes the provider under `gen_ai.system` as well, as conventions up to 1.36 had it. */
export function attributesOf(info: OperationInfo, conversationId: string | undefined, older: boolean): Attributes {
  const attributes: Attributes = { 'gen_ai.operation.name': info.operation };
  const set = (name: string, value: string | number | boolean | string[] | undefined): void => {
    if (value !== undefined && value !== '') attributes[name] = value;
  };
  set('gen_ai.provider.name', info.provider);
  if (older) set('gen_ai.system', info.provider);
  set('gen_ai.request.model', info.model);
  set('gen_ai.conversation.id', info.conversationId ?? conversationId);
  set('gen_ai.request.stream', info.stream === true ? true : undefined);
  set('gen_ai.output.type', info.outputType);
  set('server.address', info.address);
  set('server.port', info.port);
  const [name = '', id = ''] = NAMES[info.operation] ?? [];
  if (name !== '') set(name, info.name);
  if (id !== '') set(id, info.id);
  if (info.parameters !== undefined) setParameters(info.parameters, set);
  return attributes;
}

function setParameters(
  parameters: RequestParameters,
  set: (name: string, value: number | string[] | undefined) => void,
): void {
  set('gen_ai.request.temperature', parameters.temperature);
  set('gen_ai.request.top_p', parameters.topP);
  set('gen_ai.request.top_k', parameters.topK);
  set('gen_ai.request.max_tokens', parameters.maxTokens);
  set('gen_ai.request.frequency_penalty', parameters.frequencyPenalty);
  set('gen_ai.request.presence_penalty', parameters.presencePenalty);
  set('gen_ai.request.seed', parameters.seed);
  if (parameters.choices !== 1) set('gen_ai.request.choice.count', parameters.choices);
  set('gen_ai.request.stop_sequences', parameters.stopSequences && [...parameters.stopSequences]);
  set('gen_ai.embeddings.dimension.count', parameters.dimensions);
}
