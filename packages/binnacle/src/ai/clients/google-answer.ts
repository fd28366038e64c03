/** Contents on the wire: https://ai.google.dev/api/generate-content, and what they used. */
import type { ClientOperation } from '../operation.ts';
import type { Usage } from '../usage.ts';
import { listOf, type Message, numberOf, objectOf, stringOf } from './stainless.ts';
import type { StreamReader } from './watched.ts';

/** Reads a whole answer. `rounds`: what each request behind it used, where that could be seen. */
export function readAnswer(operation: ClientOperation, answer: Message, rounds: readonly Usage[]): void {
  const candidates = listOf(answer.candidates);
  operation.output(candidates.map(({ content }) => content));
  const finished = new Map<number, string>();
  readEndings(answer, finished);
  operation.response({ ...namesOf(answer), ...(finished.size > 0 && { finishReasons: [...finished.values()] }) });
  const usage = rounds.length > 0 ? sumOf(rounds) : usageOf(answer);
  if (usage !== undefined) operation.usage(usage);
}

/**
 * Reads a stream. A chunk tells the usage of its request so far. Where the SDK itself calls the functions that a model asks
 * for, it puts their results as a chunk of its own between two requests; then another answer begins. Where Google calls them,
 * one answer goes on after a finish reason.
 */
export function answerReader(operation: ClientOperation): StreamReader<Message> {
  const before: Usage[] = [];
  const finished = new Map<number, string>();
  let usage: Usage | undefined;
  let told: Message = {};
  /** Every chunk names the same. */
  const tellNames = (chunk: Message): void => {
    const isTold = chunk.responseId === told.responseId && chunk.modelVersion === told.modelVersion;
    if (isTold && finished.size === 0) return;
    told = chunk;
    operation.response({ ...namesOf(chunk), ...(finished.size > 0 && { finishReasons: [...finished.values()] }) });
  };
  return {
    read(chunk) {
      const [first] = listOf(chunk.candidates);
      if (objectOf(first?.content).role === 'user' && chunk.responseId === undefined) {
        if (usage !== undefined) before.push(usage);
        usage = undefined;
        finished.clear();
        return;
      }
      for (const candidate of listOf(chunk.candidates)) readParts(operation, candidate);
      readEndings(chunk, finished);
      tellNames(chunk);
      // What is known of the input alone, in the middle, would say that nothing was answered.
      if (finished.size > 0 || hasOutput(chunk)) usage = usageOf(chunk) ?? usage;
      if (usage !== undefined) operation.usage(before.length === 0 ? usage : sumOf([...before, usage]));
    },
    isWhole: () => finished.size > 0,
  };
}

/** A prompt that was blocked is answered by its reason alone. */
function readEndings(answer: Message, finished: Map<number, string>): void {
  for (const { index, finishReason, content } of listOf(answer.candidates)) {
    const reason = stringOf(finishReason);
    if (reason !== undefined) finished.set(numberOf(index) ?? 0, reason);
    else if (listOf(objectOf(content).parts).some(({ text }) => text !== '')) finished.delete(numberOf(index) ?? 0);
  }
  const blocked = stringOf(objectOf(answer.promptFeedback).blockReason);
  if (blocked !== undefined) finished.set(0, blocked);
}

function readParts(operation: ClientOperation, candidate: Message): void {
  for (const part of listOf(objectOf(candidate.content).parts)) {
    const said = stringOf(part.text);
    if (said !== undefined && part.thought !== true) operation.content(said);
    else if (said !== undefined || CONTENTS.some((name) => part[name] !== undefined)) operation.content();
  }
}

/** Parts that are meant for the reader, and are no text. */
const CONTENTS = ['functionCall', 'inlineData', 'fileData', 'executableCode', 'codeExecutionResult'];

function namesOf({ responseId, modelVersion }: Message): { id: string | undefined; model: string | undefined } {
  return { id: stringOf(responseId), model: stringOf(modelVersion) };
}

function hasOutput(answer: Message): boolean {
  const { candidatesTokenCount, thoughtsTokenCount } = objectOf(answer.usageMetadata);
  return (numberOf(candidatesTokenCount) ?? numberOf(thoughtsTokenCount)) !== undefined;
}

/** Cached tokens are a part of the prompt's; what tools of Google's own read comes on top of it, as thoughts do of the answer. */
export function usageOf(answer: Message): Usage | undefined {
  const meta = objectOf(answer.usageMetadata);
  const prompt = numberOf(meta.promptTokenCount);
  if (prompt === undefined) return undefined;
  const thoughts = numberOf(meta.thoughtsTokenCount);
  return {
    inputTokens: prompt + (numberOf(meta.toolUsePromptTokenCount) ?? 0),
    outputTokens: (numberOf(meta.candidatesTokenCount) ?? 0) + (thoughts ?? 0),
    cachedInputTokens: numberOf(meta.cachedContentTokenCount),
    reasoningTokens: thoughts,
  };
}

function sumOf(usages: readonly Usage[]): Usage {
  const sum = (read: (usage: Usage) => number | undefined): number =>
    usages.reduce((total, usage) => total + (read(usage) ?? 0), 0);
  return {
    inputTokens: sum(({ inputTokens }) => inputTokens),
    outputTokens: sum(({ outputTokens }) => outputTokens),
    cachedInputTokens: sum(({ cachedInputTokens }) => cachedInputTokens),
    reasoningTokens: sum(({ reasoningTokens }) => reasoningTokens),
  };
}

/** Only Vertex AI counts what it embeds: `statistics.tokenCount` of each. */
export function readEmbeddings(operation: ClientOperation, answer: Message): void {
  const counts = listOf(answer.embeddings).map(({ statistics }) => numberOf(objectOf(statistics).tokenCount));
  const known = counts.filter((count) => count !== undefined);
  if (known.length === 0) return;
  operation.usage({ inputTokens: known.reduce((total, count) => total + count, 0), outputTokens: 0 });
}
