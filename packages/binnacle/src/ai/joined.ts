/** Calls that are the operation that their caller has begun, and calls that are one of their own. */
import { createContextKey } from '@opentelemetry/api';
import { activeContext } from '../context.ts';
import {
  type Claim,
  type ClientOperation,
  RUNNING,
  RunningOperation,
  type StartClientOperation,
  type StartOperation,
} from './operation.ts';
import { createWithin } from './within.ts';

/** Under what the call that has joined an operation is found by what is done within that call. */
const CLAIM = createContextKey('binnacle ai claim');

/**
 * The operation that an observed call belongs to: the one that its caller has begun for the same model, or one of its own.
 * So a call that is wrapped in `obs.ai.stream` is one operation, and so is one that is repeated there because it failed.
 * Whatever else is called meanwhile or afterwards has an operation of its own: its tokens come on top. `closed`: so has what
 * is called within the call itself, by a tool or by a `fetch` of the host's.
 */
export function joinOrStart(start: StartOperation, closed = false): StartClientOperation {
  return (info) => {
    const context = activeContext();
    const outer = context.getValue(RUNNING);
    if (outer instanceof RunningOperation && outer.isOf(info)) {
      const within = context.getValue(CLAIM);
      const claim = outer.claim(within, !closed);
      if (claim !== undefined) {
        outer.complete(info);
        return joined(outer, claim, claim === within);
      }
    }
    const own = start(info);
    if (closed) own.claim(undefined, false);
    return own;
  };
}

/** What is told passes on; when it begins, gets its chunks and ends is its caller's to say. `nested`: within what joined. */
function joined(outer: RunningOperation, claim: Claim, nested: boolean): ClientOperation {
  const nothing = (): void => {};
  /** A call that came to nothing leaves its place to the one that repeats it. */
  const leave = (): void => {
    outer.silence(operation);
    if (!nested && !claim.told) outer.release(claim);
  };
  const operation: ClientOperation = {
    reference: outer.reference,
    content: (text) => outer.contentOf(operation, text),
    input: (messages) => outer.input(messages),
    output: (messages) => outer.output(messages),
    usage(usage) {
      claim.told = true;
      outer.usage(usage);
    },
    response: (response) => outer.response(response),
    score: (score) => outer.score(score),
    run: createWithin(outer.context.setValue(CLAIM, claim)),
    chunk: nothing,
    end: nothing,
    abort: leave,
    error: leave,
    breakOff: (error) => outer.breakOff(error),
    cutOff(timeout) {
      leave();
      outer.callWasCutOff(timeout);
    },
  };
  return operation;
}
