/** The official `openai` SDK (6 and later), and whatever speaks its protocols: one operation a call, in place. */
import type { OperationInfo, RequestParameters } from '../info.ts';
import type { ClientOperation, StartClientOperation } from '../operation.ts';
import type { AiClientKind } from './client.ts';
import { chatReader } from './openai-chat.ts';
import { responsesReader } from './openai-responses.ts';
import {
  endpointOf,
  type Message,
  numberOf,
  objectOf,
  observeCreate,
  partOf,
  type ResultReader,
  stringOf,
} from './stainless.ts';
import { guard } from './watched.ts';

/** Providers by the host of their endpoint (`gen_ai.provider.name`); any other that speaks the protocol is `openai`. */
const HOSTS: readonly (readonly [host: RegExp, provider: string])[] = [
  [/\.openai\.azure\.com$|\.services\.ai\.azure\.com$/, 'azure.ai.openai'],
  [/(^|\.)deepseek\.com$/, 'deepseek'],
  [/(^|\.)groq\.com$/, 'groq'],
  [/(^|\.)mistral\.ai$/, 'mistral_ai'],
  [/(^|\.)x\.ai$/, 'x_ai'],
  [/(^|\.)perplexity\.ai$/, 'perplexity'],
  [/(^|\.)googleapis\.com$/, 'gcp.gemini'],
];
/** Endpoints that are known to take `stream_options`: a stream's usage is asked of them where its caller did not. */
const TELLS_USAGE = /^api\.openai\.com$|\.openai\.azure\.com$/;
const AZURE_TELLS_USAGE = '2024-09-01';

interface Surface {
  readonly path: readonly string[];
  readonly operation: string;
  readonly read: (operation: ClientOperation, asks?: () => boolean) => ResultReader;
}

const SURFACES: readonly Surface[] = [
  { path: ['chat', 'completions'], operation: 'chat', read: chatReader },
  { path: ['completions'], operation: 'text_completion', read: chatReader },
  { path: ['responses'], operation: 'chat', read: responsesReader },
  { path: ['beta', 'responses'], operation: 'chat', read: responsesReader },
  { path: ['embeddings'], operation: 'embeddings', read: chatReader },
];

export const openAiKind: AiClientKind = {
  name: 'OpenAI and AzureOpenAI of "openai"',
  is: (client) => 'baseURL' in client && 'create' in (partOf(client, ['chat', 'completions']) ?? {}),
  observe(client, start) {
    for (const surface of SURFACES) observeSurface(client, surface, start);
  },
};

function observeSurface(client: object, { path, operation: name, read }: Surface, start: StartClientOperation): void {
  const owner = partOf(client, path);
  if (owner === undefined) return;
  observeCreate(owner, (given) => {
    const info = infoOf(client, name, given);
    const operation = start(info);
    guard(() => operation.input(promptOf(given)));
    if (path[0] !== 'chat' || !asksForUsage(client, info, given)) return { operation, reader: read(operation) };
    // The SDK writes it down a turn later: until then the asking can be taken back.
    let asks = true;
    const { stream_options: options } = given;
    const body: Record<string, unknown> = { ...given, stream_options: { ...objectOf(options), include_usage: true } };
    const raw = (): void => {
      asks = false;
      if ('stream_options' in given) body.stream_options = options;
      else delete body.stream_options;
    };
    return { operation, body, reader: { ...read(operation, () => asks), raw } };
  });
}

/** Where the caller said anything about it, its word stands. Azure's versions before this one refuse to be asked. */
function asksForUsage(client: object, { address = '', stream }: OperationInfo, body: Message): boolean {
  const { apiVersion = AZURE_TELLS_USAGE } = client as { readonly apiVersion?: string };
  return (
    stream === true &&
    objectOf(body.stream_options).include_usage === undefined &&
    TELLS_USAGE.test(address) &&
    apiVersion >= AZURE_TELLS_USAGE
  );
}

function infoOf(client: object, operation: string, body: Message): OperationInfo {
  const endpoint = endpointOf((client as { baseURL?: unknown }).baseURL);
  return {
    operation,
    provider: providerOf(client, endpoint.address ?? ''),
    model: stringOf(body.model) ?? '',
    stream: body.stream === true,
    parameters: parametersOf(body),
    outputType: outputTypeOf(body),
    ...endpoint,
  };
}

function providerOf(client: object, host: string): string {
  if (client.constructor?.name === 'AzureOpenAI') return 'azure.ai.openai';
  return HOSTS.find(([pattern]) => pattern.test(host))?.[1] ?? 'openai';
}

function parametersOf(body: Message): RequestParameters {
  const { stop } = body;
  return {
    temperature: numberOf(body.temperature),
    topP: numberOf(body.top_p),
    maxTokens: numberOf(body.max_completion_tokens ?? body.max_tokens ?? body.max_output_tokens),
    frequencyPenalty: numberOf(body.frequency_penalty),
    presencePenalty: numberOf(body.presence_penalty),
    seed: numberOf(body.seed),
    choices: numberOf(body.n),
    dimensions: numberOf(body.dimensions),
    stopSequences: typeof stop === 'string' ? [stop] : Array.isArray(stop) ? stop.map(String) : undefined,
  };
}

function outputTypeOf(body: Message): string | undefined {
  const type = stringOf(objectOf(body.response_format).type) ?? stringOf(objectOf(objectOf(body.text).format).type);
  if (type === undefined) return undefined;
  return type.startsWith('json') ? 'json' : type;
}

function promptOf({ messages, instructions, input, prompt }: Message): unknown {
  return messages ?? [instructions, input ?? prompt].filter((part) => part !== undefined);
}
