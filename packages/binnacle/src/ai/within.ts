/** A context that work is run within again and again: for each chunk of a stream. */
import type { Context } from '@opentelemetry/api';
import { currentScope, runInScope, runWith, type Scope } from '../context.ts';

/** Runs work within it. */
export type Within = <T>(work: () => T) => T;

/** The same as `runWith({ otel: context }, work)`, whose scope is made anew only where the one around it is another. */
export function createWithin(context: Context): Within {
  let around: Scope | undefined;
  let scope: Scope | undefined;
  return (work) => {
    const now = currentScope();
    if (scope === undefined || (now !== around && now !== scope)) {
      around = now;
      scope = runWith({ otel: context }, currentScope);
    }
    return scope === undefined ? work() : runInScope(scope, work);
  };
}
