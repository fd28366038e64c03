/** The integration that AI SDK 7 takes: calls are known by their ids, and models and tools are run through it. */
import type { OperationInfo } from '../info.ts';
import type { ClientOperation, StartOperation } from '../operation.ts';
import { parametersOf, readAnswer, readEmbedding } from './ai-sdk-model.ts';
import { AiSdkRun, beginPart, runModel, runTool, takeResult, toolInfo } from './ai-sdk-run.ts';
import { providerNameOf } from './provider-names.ts';
import { type Message, objectOf, stringOf } from './stainless.ts';
import { guard } from './watched.ts';

/** Calls that are followed at once; the oldest is let go, as cancelled. */
const LIMIT = 10_000;

type Execute = Message & { readonly execute: () => PromiseLike<unknown> };

export interface Integration {
  onStart(event: Message): void;
  onEnd(event: Message): void;
  onAbort(event: Message): void;
  onError(event: Message): void;
  onEmbedStart(event: Message): void;
  onEmbedEnd(event: Message): void;
  onObjectStepStart(event: Message): void;
  onObjectStepEnd(event: Message): void;
  executeLanguageModelCall(call: Execute): PromiseLike<unknown>;
  executeTool(call: Execute): PromiseLike<unknown>;
}

/** A call under way, and its parts that are told of by a start and an end. */
interface Call {
  readonly run: AiSdkRun;
  readonly streams: boolean;
  readonly parts: Map<unknown, ClientOperation>;
}

const OBJECT = 'object';

export function createIntegration(start: StartOperation, idleMs: number, limit: number = LIMIT): Integration {
  const calls = new Map<unknown, Call>();
  const take = ({ callId }: Message): AiSdkRun | undefined => {
    const call = calls.get(callId);
    calls.delete(callId);
    return call?.run;
  };
  return {
    onStart: (event) =>
      guard(() => {
        const run = startCall(start, calls, event);
        if (STREAMED.has(event.operationId)) run.streams(idleMs, () => take(event)?.forget());
        const [oldest] = calls.keys();
        if (calls.size > limit) take({ callId: oldest })?.forget();
      }),
    onEnd: (event) =>
      guard(() => {
        const run = take(event);
        // What is left of an object that came broken is told here.
        if (event.error === undefined || event.error === null) run?.end();
        else run?.error(event.error);
      }),
    onAbort: (event) => guard(() => take(event)?.abortBy(event.reason)),
    onError: (event) => guard(() => take(event)?.error(event.error)),
    onEmbedStart: (event) =>
      guard(() => startPart(start, calls.get(event.callId), event, keyOf(event), 'embeddings', event.values)),
    onEmbedEnd: (event) =>
      guard(() => endPart(calls.get(event.callId), keyOf(event), (part) => readEmbedding(part, event))),
    onObjectStepStart: (event) =>
      guard(() => startPart(start, calls.get(event.callId), event, OBJECT, 'chat', event.promptMessages)),
    onObjectStepEnd: (event) => guard(() => endObject(calls.get(event.callId), event)),
    executeLanguageModelCall: (call) => executeModel(start, calls.get(call.callId), call, () => take(call)?.forget()),
    executeTool: (call) => {
      const info = toolInfo(objectOf(call.toolCall).toolName, call.toolCallId);
      const part = beginPart(start, calls.get(call.callId)?.run, info);
      return part === undefined ? call.execute() : runTool(part, call.execute);
    },
  };
}

const TEXT: ReadonlySet<unknown> = new Set(['ai.generateText', 'ai.streamText']);
const STREAMED: ReadonlySet<unknown> = new Set(['ai.streamText', 'ai.streamObject']);

function startCall(start: StartOperation, calls: Map<unknown, Call>, event: Message): AiSdkRun {
  const { callId, operationId } = event;
  const info = { operation: 'invoke_agent', provider: '', model: '', name: stringOf(event.functionId) };
  // Embeddings and objects are one call of a model each: nothing is around them.
  const run = TEXT.has(operationId) ? new AiSdkRun(start, info, stringOf(event.modelId) ?? '') : new AiSdkRun(start);
  calls.set(callId, { run, streams: STREAMED.has(operationId), parts: new Map() });
  return run;
}

/** Values are embedded in several calls at once, each of which may be tried again with the same list of them. */
function keyOf({ operationId, values }: Message): unknown {
  return operationId === 'ai.embedMany.doEmbed' ? values : 'embed';
}

function startPart(
  start: StartOperation,
  call: Call | undefined,
  event: Message,
  key: unknown,
  operation: string,
  input: unknown,
): void {
  // What begins again is tried again.
  if (call === undefined || call.parts.has(key)) return;
  const part = beginPart(start, call.run, modelInfo(event, operation, call.streams))?.operation;
  if (part === undefined) return;
  part.input(input);
  call.parts.set(key, part);
}

function endPart(call: Call | undefined, key: unknown, read: (part: ClientOperation) => void): void {
  const part = call?.parts.get(key);
  if (call === undefined || part === undefined) return;
  call.parts.delete(key);
  guard(() => read(part));
  part.end();
  call.run.ended(part, { how: 'end' });
}

/** An object whose stream tells of an error is ended with its call, which knows the error. */
function endObject(call: Call | undefined, event: Message): void {
  if (event.finishReason !== 'error')
    endPart(call, OBJECT, (part) => {
      readAnswer(part, event);
      if (event.finishReason === 'interrupted') part.breakOff();
    });
}

function modelInfo(event: Message, operation: string, stream: boolean): OperationInfo {
  return {
    operation,
    provider: providerNameOf(stringOf(event.provider) ?? ''),
    model: stringOf(event.modelId) ?? '',
    stream,
    parameters: parametersOf(event),
  };
}

function executeModel(
  start: StartOperation,
  within: Call | undefined,
  call: Execute,
  forget: () => void,
): PromiseLike<unknown> {
  const part = beginPart(start, within?.run, modelInfo(call, 'chat', within?.streams === true));
  if (part === undefined) return call.execute();
  guard(() => part.operation.input(call.messages));
  return runModel(part, call.execute, (given) =>
    // Of a stream that its host stops, or leaves, this SDK tells no end.
    takeResult(part, given, readAnswer, (end) => void (end.how === 'abort' && forget())),
  );
}
