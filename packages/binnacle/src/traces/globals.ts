/**
 * What OpenTelemetry's API finds when users call it: Binnacle's context manager, tracer provider and propagator, where
 * the host has registered none. A host's own wins.
 */
import {
  context,
  createContextKey,
  ProxyTracerProvider,
  propagation,
  ROOT_CONTEXT,
  type TextMapPropagator,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import { contextManager, currentScope } from '../context.ts';

export interface GlobalParts {
  /** Absent where the API's own no-op provider does (tracing is off). */
  readonly provider: TracerProvider | undefined;
  readonly propagator: TextMapPropagator;
}

export interface Registration {
  /** What another had registered before, in words; empty where everything is Binnacle's. */
  readonly foreign: readonly string[];
  /** Takes away what was registered here, and only that. */
  undo(): void;
}

/** How many registrations rely on the context manager, which all share since it has no state of its own. */
let contextUsers = 0;

/** Registers the parts with OpenTelemetry's API. */
export function registerGlobals({ provider, propagator }: GlobalParts): Registration {
  const foreign: string[] = [];
  const undone: (() => void)[] = [];
  const register = (name: string, accepted: boolean, undo: () => void): void => {
    if (accepted) undone.push(undo);
    else foreign.push(name);
  };
  register('context manager', acquireContextManager(), releaseContextManager);
  if (provider !== undefined) {
    register('tracer provider', trace.setGlobalTracerProvider(provider), () => {
      if (activeProvider() === provider) trace.disable();
    });
  }
  const marked = mark(propagator);
  register('propagator', propagation.setGlobalPropagator(marked), () => {
    if (propagation.fields() === marked.fields()) propagation.disable();
  });
  return {
    foreign,
    undo() {
      for (const undo of undone.splice(0)) undo();
    },
  };
}

function acquireContextManager(): boolean {
  if (!isContextManagerOurs() && !context.setGlobalContextManager(contextManager)) return false;
  contextUsers += 1;
  return true;
}

function releaseContextManager(): void {
  contextUsers -= 1;
  if (contextUsers === 0 && isContextManagerOurs()) context.disable();
}

/** The API does not tell its context manager; ours is known by what it leaves in the storage. */
function isContextManagerOurs(): boolean {
  const probe = ROOT_CONTEXT.setValue(createContextKey('binnacle probe'), true);
  return context.with(probe, () => currentScope()?.otel) === probe;
}

function activeProvider(): TracerProvider {
  const provider = trace.getTracerProvider();
  return provider instanceof ProxyTracerProvider ? provider.getDelegate() : provider;
}

/** The API does not tell its propagator either; ours always gives the same array of fields. */
function mark(propagator: TextMapPropagator): TextMapPropagator {
  const fields = propagator.fields();
  return {
    fields: () => fields,
    inject: (active, carrier, setter) => propagator.inject(active, carrier, setter),
    extract: (active, carrier, getter) => propagator.extract(active, carrier, getter),
  };
}
