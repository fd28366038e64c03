/**
 * What OpenTelemetry's API finds when users call it: Binnacle's context manager, tracer provider and propagator, where
 * the host has registered none. A host's own wins, and Binnacle's spans are made by it.
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
import { contextManager, currentScope, followHost } from '../context.ts';

export interface GlobalParts {
  /** Absent where the API's own no-op provider does (tracing is off). */
  readonly provider: TracerProvider | undefined;
  readonly propagator: TextMapPropagator;
}

export interface Registration {
  /** What the host had registered before, in words; empty where everything is Binnacle's. */
  readonly foreign: readonly string[];
  /** Takes away what was registered here, and only that. */
  undo(): void;
}

/** Tells parts of Binnacle's, of another copy of it too, from a host's. */
const OURS: unique symbol = Symbol.for('binnacle.opentelemetry') as never;

/** How many registrations rely on the context manager, which all share since it has no state of its own. */
let contextUsers = 0;
/** How many follow a host's. */
let followers = 0;

/** The provider of the host's own SDK, or undefined where it runs none. */
export function hostProvider(): TracerProvider | undefined {
  const active = activeProvider();
  return active === undefined || OURS in active ? undefined : active;
}

/** Registers the parts with OpenTelemetry's API. */
export function registerGlobals({ provider, propagator }: GlobalParts): Registration {
  const foreign: string[] = [];
  const undone: (() => void)[] = [];
  if (acquireContextManager()) undone.push(releaseContextManager);
  else {
    foreign.push('context manager');
    undone.push(followContextManager());
  }
  if (hostProvider() !== undefined) foreign.push('tracer provider');
  else if (provider !== undefined && trace.setGlobalTracerProvider(mark(provider))) {
    undone.push(() => {
      if (activeProvider() === provider) trace.disable();
    });
  }
  const marked = withOwnFields(propagator);
  if (propagation.setGlobalPropagator(marked)) {
    undone.push(() => {
      if (propagation.fields() === marked.fields()) propagation.disable();
    });
  } else if (!(OURS in propagation.fields())) foreign.push('propagator');
  return {
    foreign,
    undo() {
      for (const undo of undone.splice(0)) undo();
    },
  };
}

function mark<T extends object>(part: T): T {
  return Object.defineProperty(part, OURS, { value: true, configurable: true });
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

function followContextManager(): () => void {
  followers += 1;
  followHost(context);
  return () => {
    followers -= 1;
    if (followers === 0) followHost(undefined);
  };
}

/** The API does not tell its context manager; ours is known by what it leaves in the storage. */
function isContextManagerOurs(): boolean {
  const probe = ROOT_CONTEXT.setValue(createContextKey('binnacle probe'), true);
  return context.with(probe, () => currentScope()?.otel) === probe;
}

/** The registered provider; the API's own proxy has no tracer of a delegate while there is none. */
function activeProvider(): TracerProvider | undefined {
  const provider = trace.getTracerProvider();
  if (!(provider instanceof ProxyTracerProvider)) return provider;
  return provider.getDelegateTracer('binnacle') === undefined ? undefined : provider.getDelegate();
}

/** The API does not tell its propagator either; ours always gives the same array of fields. */
function withOwnFields(propagator: TextMapPropagator): TextMapPropagator {
  const fields = mark([...propagator.fields()]);
  return {
    fields: () => fields,
    inject: (active, carrier, setter) => propagator.inject(active, carrier, setter),
    extract: (active, carrier, getter) => propagator.extract(active, carrier, getter),
  };
}
