/** Spans of Binnacle's and their attributes. A test holds the names against those that the sources set. */

export interface SpanRow {
  /** The span's name, as it is put together. */
  readonly name: string;
  readonly kind: 'SERVER' | 'CLIENT' | 'INTERNAL' | 'CLIENT or INTERNAL';
  readonly of: string;
  readonly attributes: readonly string[];
  readonly events?: readonly string[];
}

export const spans: readonly SpanRow[] = [
  {
    name: 'METHOD ROUTE',
    kind: 'SERVER',
    of: 'A request; `METHOD` alone where no route matched.',
    attributes: [
      'http.request.method',
      'http.request.method_original',
      'http.route',
      'http.response.status_code',
      'url.scheme',
      'url.path',
      'network.protocol.version',
      'client.address',
      'session.id',
      'error.type',
    ],
    events: ['first_byte', 'client_disconnect'],
  },
  {
    name: 'session',
    kind: 'INTERNAL',
    of: 'A session outside of any request.',
    attributes: ['session.id', 'error.type'],
  },
  {
    name: 'phase NAME',
    kind: 'INTERNAL',
    of: 'A phase of a session.',
    attributes: ['binnacle.phase', 'error.type'],
  },
  {
    name: 'cache NAME',
    kind: 'INTERNAL',
    of: 'A look-up; what the store asks of others is its child.',
    attributes: ['binnacle.cache.name', 'binnacle.cache.result', 'error.type'],
  },
  {
    name: 'breaker SERVICE',
    kind: 'INTERNAL',
    of: 'A call through a circuit breaker, a rejected one too.',
    attributes: ['binnacle.breaker.name', 'binnacle.breaker.state', 'binnacle.breaker.outcome', 'error.type'],
  },
  {
    name: 'METHOD',
    kind: 'CLIENT',
    of: 'A request that is sent by `fetch`, undici or `node:http`.',
    attributes: [
      'http.request.method',
      'http.request.method_original',
      'http.response.status_code',
      'url.full',
      'url.scheme',
      'server.address',
      'server.port',
      'error.type',
    ],
  },
  {
    name: 'OPERATION TARGET',
    kind: 'CLIENT',
    of: 'A statement of a database, or a command of Redis; without its values.',
    attributes: [
      'db.system.name',
      'db.operation.name',
      'db.operation.batch.size',
      'db.collection.name',
      'db.namespace',
      'db.query.text',
      'db.response.status_code',
      'server.address',
      'server.port',
      'error.type',
    ],
  },
  {
    name: 'OPERATION MODEL',
    kind: 'CLIENT or INTERNAL',
    of: 'An operation of a language model; tools, agents and workflows by their names (`execute_tool search`).',
    attributes: [
      'gen_ai.operation.name',
      'gen_ai.provider.name',
      'gen_ai.system',
      'gen_ai.conversation.id',
      'gen_ai.output.type',
      'gen_ai.request.model',
      'gen_ai.request.stream',
      'gen_ai.request.temperature',
      'gen_ai.request.top_p',
      'gen_ai.request.top_k',
      'gen_ai.request.max_tokens',
      'gen_ai.request.frequency_penalty',
      'gen_ai.request.presence_penalty',
      'gen_ai.request.seed',
      'gen_ai.request.choice.count',
      'gen_ai.request.stop_sequences',
      'gen_ai.embeddings.dimension.count',
      'gen_ai.response.id',
      'gen_ai.response.model',
      'gen_ai.response.finish_reasons',
      'gen_ai.response.time_to_first_chunk',
      'gen_ai.usage.input_tokens',
      'gen_ai.usage.output_tokens',
      'gen_ai.usage.cache_read.input_tokens',
      'gen_ai.usage.cache_creation.input_tokens',
      'gen_ai.usage.reasoning.output_tokens',
      'gen_ai.tool.name',
      'gen_ai.tool.call.id',
      'gen_ai.agent.name',
      'gen_ai.agent.id',
      'gen_ai.workflow.name',
      'gen_ai.input.messages',
      'gen_ai.output.messages',
      'binnacle.ai.input.length',
      'binnacle.ai.input.hash',
      'binnacle.ai.output.length',
      'binnacle.ai.output.hash',
      'binnacle.ai.cost_usd',
      'server.address',
      'server.port',
      'error.type',
    ],
    events: ['gen_ai.client.inference.operation.details'],
  },
  {
    name: 'evaluate NAME',
    kind: 'INTERNAL',
    of: 'A score of an operation that has ended; its attributes are those of its event.',
    attributes: [
      'gen_ai.request.model',
      'gen_ai.evaluation.name',
      'gen_ai.evaluation.score.value',
      'gen_ai.evaluation.score.label',
      'gen_ai.response.id',
    ],
    events: ['gen_ai.evaluation.result'],
  },
];

/** On any of them. */
export const ANY_SPAN: readonly string[] = ['session.id', 'binnacle.kept'];
