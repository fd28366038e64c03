/**
 * LangChain.js and LangGraph.js, by a callback handler: `callbacks: [handler]`, for a model, a chain, a graph.
 *
 * A model's run is a `chat`, a tool's an `execute_tool`, a retriever's a `retrieval`. Of chains only the outermost one is told,
 * as `invoke_workflow`, and agents, as `invoke_agent`: most runnables are plumbing (prompts, parsers, branches).
 */
import type { OperationInfo } from '../info.ts';
import type { ClientOperation, StartOperation } from '../operation.ts';
import { agentNameOf, answerOf, isCancellation, modelInfoOf, nameOf, tellsReason } from './langchain-names.ts';
import { createRuns, type LangChainRun, type LangChainRuns, type RunsOptions } from './langchain-runs.ts';
import { IDLE_MS } from './left.ts';
import { listOf, type Message, objectOf, stringOf } from './stainless.ts';
import { guard } from './watched.ts';

/** What LangChain takes among its `callbacks`; the shape of its BaseCallbackHandler. */
export interface LangChainHandler {
  readonly name: string;
  /** Called within what it is told of, not from LangChain's queue: so times and requests are right. It waits for nothing. */
  readonly awaitHandlers: true;
  readonly raiseError: false;
  readonly ignoreLLM: false;
  readonly ignoreChain: false;
  readonly ignoreAgent: false;
  readonly ignoreRetriever: false;
  readonly ignoreCustomEvent: true;
  readonly lc_serializable: false;
  copy(): LangChainHandler;
  handleChainStart(...told: unknown[]): void;
  handleChainEnd(outputs: unknown, runId: string): void;
  handleChainError(error: unknown, runId: string): void;
  handleChatModelStart(...told: unknown[]): void;
  handleLLMStart(...told: unknown[]): void;
  handleLLMNewToken(...told: unknown[]): void;
  handleLLMEnd(...told: unknown[]): void;
  handleLLMError(error: unknown, runId: string): void;
  handleToolStart(...told: unknown[]): void;
  handleToolEnd(output: unknown, runId: string): void;
  handleToolError(error: unknown, runId: string): void;
  handleRetrieverStart(...told: unknown[]): void;
  handleRetrieverEnd(documents: unknown, runId: string): void;
  handleRetrieverError(error: unknown, runId: string): void;
}

/** One handler serves all runs of a process. */
export function createLangChainHandler(
  start: StartOperation,
  { limit = 10_000, idleMs = IDLE_MS }: Partial<RunsOptions> = {},
): LangChainHandler {
  const runs = createRuns(start, { limit, idleMs });
  const finish = (runId: unknown): void => guard(() => runs.end(runId, (operation) => operation.end()));
  const fail = (error: unknown, runId: unknown): void =>
    guard(() => runs.end(runId, (operation) => (isCancellation(error) ? operation.abort() : operation.error(error))));
  const handler: LangChainHandler = {
    name: 'binnacle',
    awaitHandlers: true,
    raiseError: false,
    ignoreLLM: false,
    ignoreChain: false,
    ignoreAgent: false,
    ignoreRetriever: false,
    ignoreCustomEvent: true,
    lc_serializable: false,
    copy: () => handler,
    handleChainStart: (...told) => guard(() => startChain(runs, told)),
    handleChainEnd: (_outputs, runId) => finish(runId),
    handleChainError: fail,
    handleChatModelStart: (...told) => guard(() => startModel(runs, 'chat', told)),
    handleLLMStart: (...told) => guard(() => startModel(runs, 'text_completion', told)),
    handleLLMNewToken: (...told) => guard(() => readToken(runs, told)),
    handleLLMEnd: (...[result, runId, , , extra]) =>
      guard(() =>
        runs.end(runId, (operation, run) =>
          readResult(operation, run, objectOf(result), objectOf(extra).cached === true),
        ),
      ),
    handleLLMError: fail,
    handleToolStart: (...[tool, input, runId, parentRunId, , , runName, callId]) =>
      guard(() => {
        const name = stringOf(runName) ?? nameOf(objectOf(tool));
        const run = runs.begin(runId, parentRunId, about('execute_tool', name, stringOf(callId)));
        run?.operation?.input(input);
      }),
    handleToolEnd: (output, runId) => {
      // A ToolNode tells a failure to its model as a message.
      if (objectOf(output).status === 'error') fail(new ToolMessageError(), runId);
      else finish(runId);
    },
    handleToolError: fail,
    handleRetrieverStart: (...[retriever, , runId, parentRunId, , , runName]) =>
      guard(() => {
        const name = stringOf(runName) ?? nameOf(objectOf(retriever));
        runs.begin(runId, parentRunId, about('retrieval', name));
      }),
    handleRetrieverEnd: (_documents, runId) => finish(runId),
    handleRetrieverError: fail,
  };
  return handler;
}

/** All starts are told what runs, with what, under which ids, tags and metadata. */
function startModel(runs: LangChainRuns, operation: 'chat' | 'text_completion', told: readonly unknown[]): void {
  const [model, messages, runId, parentRunId, extra, , metadata, runName] = told;
  const info = modelInfoOf(operation, objectOf(model), objectOf(extra), objectOf(metadata), stringOf(runName));
  const run = runs.begin(runId, parentRunId, info);
  run?.operation?.input(messages);
  runs.follow(run, objectOf(objectOf(extra).options).signal);
}

function startChain(runs: LangChainRuns, told: readonly unknown[]): void {
  const [chain, , runId, parentRunId, , metadata, runType, runName] = told;
  const name = stringOf(runName) ?? nameOf(objectOf(chain));
  const isRoot = runs.get(parentRunId) === undefined;
  const agent = agentNameOf(name, runType, objectOf(metadata), isRoot);
  const info = agent !== undefined ? about('invoke_agent', agent) : about('invoke_workflow', name);
  runs.begin(runId, parentRunId, isRoot || agent !== undefined ? info : undefined);
}

/** A tool that told its model of a failure instead of throwing it. */
class ToolMessageError extends Error {
  override readonly name = 'ToolMessageError';
}

function about(operation: string, name: string | undefined, id?: string): OperationInfo {
  return { operation, provider: '', model: '', name, id };
}

function readToken(runs: LangChainRuns, told: readonly unknown[]): void {
  const run = runs.get(told[2]);
  if (run?.operation === undefined) return;
  const { operation } = run;
  runs.hear(run);
  operation.chunk();
  const token = stringOf(told[0]);
  const { message } = objectOf(objectOf(told[5]).chunk);
  if (token !== undefined) operation.content(token);
  else if (listOf(objectOf(message).tool_call_chunks).length > 0) operation.content();
}

function readResult(operation: ClientOperation, run: LangChainRun, result: Message, cached: boolean): void {
  const { usage, response, output } = answerOf(result);
  // What came from LangChain's cache was paid before.
  if (cached) operation.usage({ inputTokens: 0, outputTokens: 0 });
  else if (usage !== undefined) operation.usage(usage);
  operation.response(response);
  if (!run.streamed) operation.output(output);
  // LangChain ends a stream that broke off as if it were whole.
  const streamed = run.streamed || run.info?.stream === true || output === undefined;
  if (streamed && !cached && response.finishReasons === undefined && tellsReason(run.info)) operation.breakOff();
  else operation.end();
}
