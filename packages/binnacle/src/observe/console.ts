/**
 * The console as one `observe` has it. Nothing of its room is loaded where it is off; where it is on, what is told
 * before it is loaded waits for it.
 */
import type { Embedded, EmbeddedOptions } from '../console/embedded.ts';
import type { Faults } from '../faults.ts';
import type { Health } from '../health/health.ts';
import type { Gate } from '../http/gate.ts';
import type { ConsoleDoor } from '../http/probes.ts';
import type { Logs } from '../logs/logger.ts';
import type { Registry } from '../metrics/registry.ts';
import type { Settings } from '../settings.ts';
import type { Clock, Onlooker } from '../signals.ts';
import { printableEndpoint } from '../traces/cause.ts';
import { runOutside } from '../traces/outside.ts';
import type { SpanWatch, Traces } from '../traces/tracer.ts';
import { wordless } from '../wordless.ts';

/** The rooms' ends of the console. */
export interface ConsoleTaps {
  readonly spans: SpanWatch;
  line(text: string): void;
  readonly onlooker: Onlooker;
  round(): void;
  readonly door: ConsoleDoor;
  /** Loads it, with what it reads of the others. */
  open(parts: ConsoleParts): void;
  /** Ends its pages, so that a server that closes is not held up by them. */
  endPages(): void;
  close(): void;
}

export interface ConsoleParts {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly registry: Registry | undefined;
  readonly gate: Gate;
  readonly health: Health;
  readonly traces: Traces;
  readonly logs: Logs;
}

/** What may wait for it to be loaded: tellings, and bytes of them. */
const EARLY = { count: 2000, bytes: 1024 * 1024 };

/** Undefined where it is off. */
export function createConsoleTaps(settings: Settings): ConsoleTaps | undefined {
  return settings.console && new Taps(settings.console.token);
}

class Taps implements ConsoleTaps {
  readonly spans: SpanWatch = {
    encoded: (message, scope) => {
      if (this.#embedded !== undefined) return this.#embedded.span(message, scope);
      // It is written over once this has returned.
      const copy = message.slice();
      this.#wait(copy.length, (to) => to.span(copy, scope));
    },
    leftOut: () => this.#embedded?.leftOut(),
  };
  readonly onlooker: Onlooker = {
    phase: (request, name, startedAt) => this.#embedded?.phase(request, name, startedAt) ?? nothing,
    chunks: (span, times) => this.#embedded?.chunks(span, times),
    breaker: (service, state) => {
      if (this.#embedded !== undefined) this.#embedded.breaker(service, state);
      else this.#wait(service.length, (to) => to.breaker(service, state));
    },
  };
  readonly door: ConsoleDoor = {
    owns: (path) => path === '/console' || path.startsWith('/console/'),
    answer: async (path, req, res) => {
      const embedded = await this.#loaded;
      if (embedded !== undefined) return embedded.server.answer(path, req, res);
      res.writeHead(503, { 'cache-control': 'no-store' }).end();
    },
  };
  readonly #token: string | undefined;
  #embedded: Embedded | undefined;
  #loaded: Promise<Embedded | undefined> | undefined;
  #early: ((to: Embedded) => void)[] = [];
  #earlyBytes = 0;
  #closed = false;

  constructor(token: string | undefined) {
    this.#token = token;
  }

  line(text: string): void {
    if (this.#embedded !== undefined) this.#embedded.line(text);
    else this.#wait(text.length, (to) => to.line(text));
  }

  round(): void {
    this.#embedded?.round();
  }

  open(parts: ConsoleParts): void {
    const trouble = parts.faults.outage('binnacle');
    const onFault = (error: unknown): void => {
      trouble.down('The console could not be told everything', { exception: wordless(error) });
    };
    // Of no request: what it starts goes on for as long as the service does.
    this.#loaded = runOutside(() => this.#load(optionsOf(parts, this.#token, onFault))).catch((error: unknown) => {
      parts.faults.once('console', 'binnacle', 'The console could not be loaded', { exception: wordless(error) });
      this.#early = [];
      return undefined;
    });
  }

  endPages(): void {
    this.#embedded?.server.close();
  }

  close(): void {
    this.#closed = true;
    this.#embedded?.close();
  }

  async #load(options: EmbeddedOptions): Promise<Embedded> {
    const { embed } = await import('../console/embedded.ts');
    const embedded = embed(options);
    this.#embedded = embedded;
    for (const tell of this.#early) tell(embedded);
    this.#early = [];
    embedded.round();
    if (this.#closed) embedded.close();
    return embedded;
  }

  #wait(bytes: number, tell: (to: Embedded) => void): void {
    if (this.#early.length >= EARLY.count || this.#earlyBytes + bytes > EARLY.bytes) return;
    this.#earlyBytes += bytes;
    this.#early.push(tell);
  }
}

const nothing = (): void => {};

function optionsOf(parts: ConsoleParts, token: string | undefined, onFault: (error: unknown) => void): EmbeddedOptions {
  const { settings, clock, registry, gate, health, traces, logs } = parts;
  const { service, version, environment, otel } = settings;
  const kind = traces.spans.hosted ? "the host's SDK" : otel.exporter;
  return {
    about: { service, version, environment },
    token,
    clock,
    registry,
    exporter: { kind, ...(kind === 'otlp' && { endpoint: printableEndpoint(otel.otlp.url) }) },
    running: () => gate.inside.flatMap(({ running }) => running ?? []),
    report: () => health.report(),
    queues: () => [
      ...(traces.queue === undefined
        ? []
        : [
            {
              name: 'spans',
              size: traces.queue.size,
              limit: otel.batch.maxQueueSize,
              bytes: traces.queue.bytes,
            },
          ]),
      ...logs.queues().map(({ name, lines, size }) => ({ name, size: lines, bytes: size })),
    ],
    onFault,
  };
}
