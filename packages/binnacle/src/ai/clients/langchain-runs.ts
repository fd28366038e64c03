/** LangChain's runs under way, by their ids: which operation each is, and whose child. */
import { currentScope, runInScope, type Scope } from '../../context.ts';
import { outcomeOf } from '../../endings.ts';
import { isInference, type OperationInfo } from '../info.ts';
import { joinOrStart } from '../joined.ts';
import type { ClientOperation, StartOperation } from '../operation.ts';
import { endWhenLeft } from './left.ts';
import { guard } from './watched.ts';

/** What all runs below an outermost one share. */
interface Tree {
  /** Who was served when it began. */
  readonly scope: Scope | undefined;
  /** Changes with all that is told of it. */
  heard: number;
  /** Models, tools and retrievers at work. */
  working: number;
  /** Stops following the signals that its models were given. */
  readonly unfollow: Map<AbortSignal, () => void>;
}

export interface LangChainRun {
  readonly id: string;
  readonly info: OperationInfo | undefined;
  /** None for plumbing: its children are those of what it is a part of. */
  readonly operation: ClientOperation | undefined;
  readonly parent: LangChainRun | undefined;
  readonly children: Set<LangChainRun>;
  readonly tree: Tree;
  signal?: AbortSignal;
  streamed: boolean;
}

export interface LangChainRuns {
  get(runId: unknown): LangChainRun | undefined;
  /** Begins a run, as an operation where it is told what it is. */
  begin(runId: unknown, parentRunId: unknown, info: OperationInfo | undefined): LangChainRun | undefined;
  /** Ends a run with the signal it was given: LangChain tells nothing of a stream that is aborted. */
  follow(run: LangChainRun | undefined, signal: unknown): void;
  /** A model told a piece of its answer. */
  hear(run: LangChainRun): void;
  /** Ends a run once; what is still open below it is cancelled. */
  end(runId: unknown, how: (operation: ClientOperation, run: LangChainRun) => void): void;
}

export interface RunsOptions {
  /** Runs that are followed at once; the oldest is let go, as cancelled. */
  readonly limit: number;
  /** How long nothing may be heard of what goes on after its request, in milliseconds. */
  readonly idleMs: number;
}

export function createRuns(start: StartOperation, { limit, idleMs }: RunsOptions): LangChainRuns {
  const runs = new Map<unknown, LangChainRun>();
  const finish = (run: LangChainRun, how: (operation: ClientOperation, run: LangChainRun) => void): void => {
    const { id, tree, parent, operation } = run;
    if (!runs.delete(id)) return;
    tree.heard += 1;
    parent?.children.delete(run);
    for (const child of run.children) cancel(child);
    if (works(run)) tree.working -= 1;
    if (parent === undefined) for (const unfollow of tree.unfollow.values()) unfollow();
    if (operation === undefined) return;
    guard(() => how(operation, run));
    // The first ending stands; this one is for what could not be read.
    guard(() => operation.end());
  };
  const cancel = (run: LangChainRun): void => finish(run, (operation) => operation.abort());

  /** A limit may be the model's own, and a chain goes on with another; what else is aborted is left altogether. */
  const abort = (top: LangChainRun, signal: AbortSignal): void => {
    const timedOut = outcomeOf(signal.reason, undefined) === 'timeout';
    for (const run of below(top))
      if (run.signal === signal)
        finish(run, (operation) => (timedOut ? operation.error(signal.reason) : operation.abort()));
    if (!timedOut && top.tree.working === 0) cancel(top);
  };

  return {
    get: (runId) => runs.get(runId),
    begin(runId, parentRunId, info) {
      if (typeof runId !== 'string' || runs.has(runId)) return undefined;
      const parent = runs.get(parentRunId);
      const tree = parent?.tree ?? { scope: currentScope(), heard: 0, working: 0, unfollow: new Map() };
      const operation = info && within(parent, () => (isInference(info) ? joinOrStart(start) : start)(info));
      const run: LangChainRun = {
        ...{ id: runId, info, operation, parent, tree },
        children: new Set(),
        streamed: false,
      };
      runs.set(runId, run);
      parent?.children.add(run);
      tree.heard += 1;
      if (works(run)) tree.working += 1;
      const heard = (): number | undefined => (runs.get(runId) === run ? tree.heard : undefined);
      if (parent === undefined) endWhenLeft(heard, () => cancel(run), idleMs);
      const [oldest] = runs.values();
      if (runs.size > limit && oldest !== undefined) cancel(oldest);
      return run;
    },
    follow(run, signal) {
      if (run === undefined || !(signal instanceof AbortSignal)) return;
      run.signal = signal;
      const { unfollow } = run.tree;
      if (unfollow.has(signal)) return;
      const top = topOf(run);
      // A turn later, so that what LangChain itself tells comes first.
      const onAbort = (): void => void setImmediate(() => guard(() => abort(top, signal)));
      unfollow.set(signal, () => signal.removeEventListener('abort', onAbort));
      signal.addEventListener('abort', onAbort, { once: true });
    },
    hear(run) {
      run.streamed = true;
      run.tree.heard += 1;
    },
    end(runId, how) {
      const run = runs.get(runId);
      if (run !== undefined) finish(run, how);
    },
  };
}

/** Whether a run does something by itself: chains and agents are made of what they run. */
function works({ info }: LangChainRun): boolean {
  return info !== undefined && !info.operation.startsWith('invoke_');
}

function topOf(run: LangChainRun): LangChainRun {
  let top = run;
  while (top.parent !== undefined) top = top.parent;
  return top;
}

function below(run: LangChainRun): LangChainRun[] {
  return [run, ...[...run.children].flatMap(below)];
}

/** Runs work within a run's operation, or that of the nearest one above that has one, whoever calls. */
function within<T>(run: LangChainRun | undefined, work: () => T): T {
  if (run === undefined) return work();
  let nearest: LangChainRun | undefined = run;
  while (nearest !== undefined && nearest.operation === undefined) nearest = nearest.parent;
  const { operation } = nearest ?? {};
  const inside = operation === undefined ? work : () => operation.run(work);
  return run.tree.scope === undefined ? inside() : runInScope(run.tree.scope, inside);
}
