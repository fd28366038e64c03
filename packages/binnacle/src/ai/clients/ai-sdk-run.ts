/** One call of the AI SDK (`generateText`, `embedMany`…): its own operation, and those of its models and tools. */
import { outcomeOf } from '../../endings.ts';
import type { OperationInfo } from '../info.ts';
import { joinOrStart } from '../joined.ts';
import { type ClientOperation, RunningOperation, type StartOperation } from '../operation.ts';
import type { Usage } from '../usage.ts';
import { addUsage, causeOf, isStream, type PartEnd, tellEnd, watchStream } from './ai-sdk-model.ts';
import { endWhenLeft } from './left.ts';
import { type Message, objectOf, stringOf } from './stainless.ts';
import { guard } from './watched.ts';

const TOOL = 'execute_tool';

interface Failure {
  readonly error: unknown;
}

export class AiSdkRun {
  /** None where a run is one call of a model: that is told by itself. */
  readonly #operation: ClientOperation | undefined;
  /** Parts that have not ended, with what they failed with while they may still be tried again. */
  readonly #open = new Map<ClientOperation, Failure | undefined>();
  #failure: Failure | undefined;
  #signal: AbortSignal | undefined;
  #used: Usage | undefined;
  /** How much was heard of it; undefined once it has ended. */
  #heard: number | undefined = 0;
  #streams = false;

  /** Within an operation that the host has begun for the same model, the run is that operation. */
  constructor(start: StartOperation, info?: OperationInfo, model = '') {
    if (info !== undefined)
      this.#operation = joinOrStart(() => start(info))({ operation: 'chat', provider: '', model });
  }

  /** Begins a model's part, or a tool's, as its child. What begins after a model that failed is that one, tried again. */
  begin(begin: () => ClientOperation, isTool: boolean): ClientOperation {
    for (const [operation, failure] of this.#open) {
      if (failure === undefined || isTool) continue;
      this.#open.set(operation, undefined);
      return operation;
    }
    const begun = this.run(begin);
    const operation = begun instanceof RunningOperation ? begun : this.#asStep(begun);
    this.#open.set(operation, undefined);
    return operation;
  }

  /** Steps of a run within an operation of the host's own: that used what all of them did. */
  #asStep(operation: ClientOperation): ClientOperation {
    const before = this.#used;
    return {
      ...operation,
      usage: (usage) => {
        this.#used = addUsage(before, usage);
        operation.usage(this.#used);
      },
    };
  }

  run<T>(work: () => T): T {
    return this.#operation === undefined ? work() : this.#operation.run(work);
  }

  /** Something was done for it. */
  hear(): void {
    if (this.#heard !== undefined) this.#heard += 1;
  }

  /** A model's part failed before it answered: the SDK may try it again, or give up, and the run with it. */
  failed(operation: ClientOperation, error: unknown): void {
    this.#failure = { error };
    this.#open.set(operation, this.#failure);
  }

  /** A model's part ended. One that ends well makes up for what failed before. */
  ended(operation: ClientOperation, end: PartEnd): void {
    // One that is left stays, so that its run is known to have been stopped, whichever the SDK tells of first.
    if (end.how !== 'abort') this.#open.delete(operation);
    this.#failure = end.how === 'error' ? { error: end.error } : undefined;
  }

  /** A part ended that says nothing of the run's ending. */
  left(operation: ClientOperation): void {
    this.#open.delete(operation);
  }

  /** The signal that the run was given: with it the run ends, although the SDK tells nothing of it. */
  follow(signal: unknown): void {
    if (!(signal instanceof AbortSignal) || this.#signal !== undefined) return;
    this.#signal = signal;
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  readonly #onAbort = (): void => guard(() => this.abortBy(this.#signal?.reason));

  /** Ended by its caller: by a time limit, or because nobody waits for it any more. */
  abortBy(reason: unknown): void {
    const isTimeout = outcomeOf(reason, undefined) === 'timeout';
    this.#settle(isTimeout ? { how: 'error', error: reason } : { how: 'abort' });
  }

  /** A run whose model has not ended was stopped by its host. */
  end(): void {
    if (this.#open.size > 0) this.forget();
    else this.#settle(this.#failure === undefined ? { how: 'end' } : { how: 'error', ...this.#failure });
  }

  /** What a model failed with says more than what the SDK makes of it. */
  error(error: unknown): void {
    this.#settle({ how: 'error', error: this.#failure === undefined ? causeOf(error) : this.#failure.error });
  }

  /** Nobody reads it any more. */
  forget(): void {
    this.#settle(this.#failure === undefined ? { how: 'abort' } : { how: 'error', ...this.#failure });
  }

  /** It streams: what goes wrong is not thrown, and its reader may leave it. */
  streams(idleMs: number, forget: () => void = () => this.forget()): void {
    this.#streams = true;
    endWhenLeft(() => this.#heard, forget, idleMs);
  }

  #settle(end: PartEnd): void {
    this.#heard = undefined;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    for (const [part, failure] of this.#open)
      guard(() =>
        tellEnd(part, end.how === 'error' && failure !== undefined ? { ...end, ...failure } : end, this.#streams),
      );
    this.#open.clear();
    if (this.#operation !== undefined) tellEnd(this.#operation, end, this.#streams);
  }
}

/** A model's call, or a tool's, and the run that it is a part of, where there is one. */
export interface Part {
  readonly operation: ClientOperation;
  readonly run: AiSdkRun | undefined;
}

/** None where it cannot be told of: then it is run all the same. */
export function beginPart(start: StartOperation, run: AiSdkRun | undefined, info: OperationInfo): Part | undefined {
  const isTool = info.operation === TOOL;
  const begin = (): ClientOperation => (isTool ? start : joinOrStart(start))(info);
  try {
    return { run, operation: run === undefined ? begin() : run.begin(begin, isTool) };
  } catch {
    return undefined;
  }
}

function runPart<T>({ operation, run }: Part, work: () => T): T {
  run?.hear();
  return operation.run(work);
}

/** Runs what asks a model; `take` reads what that gives, and gives it back. */
export async function runModel(part: Part, work: () => unknown, take: (given: Message) => unknown): Promise<unknown> {
  const { operation, run } = part;
  let given: unknown;
  try {
    given = await runPart(part, work);
  } catch (thrown) {
    guard(() => {
      const error = causeOf(thrown);
      if (run === undefined) operation.error(error);
      else run.failed(operation, error);
    });
    throw thrown;
  }
  try {
    return typeof given === 'object' && given !== null ? take(given as Message) : given;
  } catch {
    return given;
  }
}

/** Reads a whole answer, or watches a stream to its end. */
export function takeResult(
  part: Part,
  result: Message,
  read: (operation: ClientOperation, answer: Message) => void,
  onEnd: (end: PartEnd) => void = () => {},
): Message {
  const { operation, run } = part;
  const ended = (end: PartEnd): void => {
    guard(() => run?.ended(operation, end));
    guard(() => onEnd(end));
  };
  const { stream } = result;
  if (isStream(stream))
    return { ...result, stream: watchStream(operation, stream, ended, (work) => runPart(part, work)) };
  guard(() => read(operation, result));
  guard(() => operation.end());
  ended({ how: 'end' });
  return result;
}

export function toolInfo(name: unknown, id: unknown): OperationInfo {
  return { operation: TOOL, provider: '', model: '', name: stringOf(name), id: stringOf(id) };
}

/** Runs a tool. One that fails is told to the model: it does not make its run fail. */
export async function runTool(part: Part, work: () => unknown): Promise<unknown> {
  const { operation, run } = part;
  try {
    const given = await runPart(part, work);
    guard(() => {
      // AI SDK 6 gives a failure, 7 throws it.
      const { type, error } = objectOf(given);
      if (type === 'tool-error') operation.error(error);
      else operation.end();
    });
    return given;
  } catch (error) {
    guard(() => operation.error(error));
    throw error;
  } finally {
    guard(() => run?.left(operation));
  }
}
