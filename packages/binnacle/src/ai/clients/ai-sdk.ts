/**
 * Vercel's AI SDK, by its own telemetry: one object, given with each call, that is a tracer to AI SDK 6 and an integration
 * to AI SDK 7. (The integrations of 6 hear of no error, no abort and no embedding; its tracer is around all of them.)
 */
import type { Tracer } from '@opentelemetry/api';
import { activeContext } from '../../context.ts';
import type { StartOperation } from '../operation.ts';
import { createIntegration } from './ai-sdk-integration.ts';
import { createTracer, runIn } from './ai-sdk-tracer.ts';
import { IDLE_MS } from './left.ts';
import { type Message, objectOf } from './stainless.ts';
import { guard } from './watched.ts';

/** What AI SDK 6 takes as `experimental_telemetry`, and 7 as `telemetry`. */
export interface AiSdkTelemetry {
  readonly isEnabled: true;
  /** The prompt is told of by its length and hash; its words stay here, unless they are captured. */
  readonly recordInputs: true;
  /**
   * Answers are read as they pass, whatever this says. AI SDK 6 would turn a tool's arguments into JSON, and break the call
   * where they cannot be; without it AI SDK 7 would withhold what errors are.
   */
  readonly recordOutputs: boolean;
  /** The agent's name, where there is one. */
  readonly functionId?: string;
  readonly tracer: Tracer;
  /** What hears of AI SDK 7's calls; its methods are the SDK's affair. */
  readonly integrations: object[];
}

/** Makes what is given to the SDK. `name` is that of the agent: `invoke_agent name` is around the steps of a call. */
export function createAiSdkTelemetry(
  start: StartOperation,
  idleMs: number = IDLE_MS,
): (name?: string) => AiSdkTelemetry {
  const tracer = createTracer(start, idleMs);
  const integration = createIntegration(start, idleMs);
  const onStart = (event: Message): void => {
    // AI SDK 6 names no call, and its tracer has begun the run that this is told within.
    if (event.callId === undefined) guard(() => runIn(activeContext())?.follow(objectOf(event).abortSignal));
    else integration.onStart(event);
  };
  return (name) => {
    let asksForTracer = false;
    return {
      // AI SDK 6 alone asks for it, and does so first.
      get tracer() {
        asksForTracer = true;
        return tracer;
      },
      get recordOutputs() {
        return !asksForTracer;
      },
      isEnabled: true,
      recordInputs: true,
      ...(name !== undefined && { functionId: name }),
      integrations: [{ ...integration, onStart }],
    };
  };
}
