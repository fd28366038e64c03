/** One of the two services that are compared, as a process, with all that it tells. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type LlmDouble, startLlm } from '../../apps/fit-check/test/llm-double.ts';
import { scrape } from '../../apps/fit-check/test/metrics.ts';
import { until } from '../../apps/fit-check/test/until.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../../packages/binnacle/test/otlp/receiver.ts';

const pathOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const REGISTER = pathOf('../../bench/node_modules/@opentelemetry/auto-instrumentations-node/build/src/register.js');
const START_MS = 60_000;

export type Kind = 'usual' | 'binnacle';

const COMMANDS: Readonly<Record<Kind, readonly string[]>> = {
  usual: ['--require', REGISTER, pathOf('apps/usual.cjs')],
  binnacle: [pathOf('apps/binnacle.mjs')],
};

/** A request that was answered, or left. */
export interface Asked {
  readonly traceId: string;
  readonly status: number;
  readonly body: string;
}

export interface Ask {
  readonly method?: 'GET' | 'POST';
  readonly body?: object;
  /** Goes away after the first bytes of the answer. */
  readonly leaves?: boolean;
}

export interface Assembly {
  readonly kind: Kind;
  readonly url: string;
  readonly llm: LlmDouble;
  readonly receiver: OtlpReceiver;
  /** All lines that it wrote, to standard output and standard error. */
  readonly output: readonly string[];
  /** Those that are JSON. */
  lines(): Record<string, unknown>[];
  /** Asks as part of a trace of its own. */
  ask(path: string, options?: Ask): Promise<Asked>;
  /** The spans of a trace, once the server's own has arrived, and all that ended before it or soon after. */
  spansOf(traceId: string): Promise<ReceivedSpan[]>;
  scrape(): Promise<Map<string, number>>;
  kill(signal: NodeJS.Signals): void;
  readonly exited: Promise<unknown>;
  stop(): Promise<void>;
}

/** Starts one, with a collector and a language model of its own. */
export async function startAssembly(kind: Kind, env: Readonly<Record<string, string>> = {}): Promise<Assembly> {
  const [receiver, llm] = await Promise.all([startOtlpReceiver(), startLlm()]);
  const child = spawn(process.execPath, COMMANDS[kind], {
    env: { ...environmentOf(receiver, llm), ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    if (stream !== null) createInterface({ input: stream }).on('line', (line) => output.push(line));
  const exited = once(child, 'close');
  const url = `http://127.0.0.1:${await portOf(child, output)}`;
  const assembly: Assembly = {
    ...{ kind, url, llm, receiver, output, exited },
    lines: () => output.flatMap(parse),
    ask: (path, options) => ask(`${url}${path}`, options),
    spansOf: (traceId) => spansOf(assembly, traceId),
    scrape: () => scrape(url),
    kill: (signal) => void child.kill(signal),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
      await Promise.all([receiver.close(), llm.close()]);
    },
  };
  return assembly;
}

/** What both are told in the same way; nothing of whoever runs this. */
function environmentOf({ url }: OtlpReceiver, llm: LlmDouble): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    LOG_FORMAT: 'json',
    HEALTH_INTERVAL_MS: '1000',
    SHUTDOWN_DELAY_MS: '0',
    OPENAI_BASE_URL: llm.url,
    OPENAI_API_KEY: 'none',
    OTEL_SERVICE_NAME: 'comparison',
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_BSP_SCHEDULE_DELAY: '100',
    // The others ask cloud metadata services over the network.
    OTEL_NODE_RESOURCE_DETECTORS: 'env,host,os,process,serviceinstance',
  };
}

async function portOf(child: ChildProcess, output: readonly string[]): Promise<number> {
  const ended = once(child, 'close').then(() => {
    throw new Error(`it ended:\n${output.join('\n')}`);
  });
  // It ends later too, when nobody waits for its port.
  ended.catch(() => {});
  const told = once(child, 'message', { signal: AbortSignal.timeout(START_MS) });
  const [{ port }] = (await Promise.race([told, ended])) as [{ port: number }];
  return port;
}

function parse(line: string): Record<string, unknown>[] {
  try {
    return [JSON.parse(line) as Record<string, unknown>];
  } catch {
    return [];
  }
}

async function ask(url: string, { method = 'GET', body, leaves = false }: Ask = {}): Promise<Asked> {
  const traceId = randomBytes(16).toString('hex');
  const controller = new AbortController();
  const response = await fetch(url, {
    method,
    headers: {
      traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: controller.signal,
  });
  const { status } = response;
  if (!leaves) return { traceId, status, body: await response.text() };
  const first = await response.body?.getReader().read();
  controller.abort();
  return { traceId, status, body: new TextDecoder().decode(first?.value) };
}

const SERVER = 2;

async function spansOf({ url, receiver }: Assembly, traceId: string): Promise<ReceivedSpan[]> {
  const arrived = (id: string): Promise<ReceivedSpan> =>
    until(`the span of ${id} arrives`, () =>
      receiver.spans.find((span) => span.traceId === id && span.kind === SERVER),
    );
  await arrived(traceId);
  // Spans leave in the order in which they end: one that is not there when a later one is, has not ended.
  for (let later = 0; later < 2; later += 1) await arrived((await ask(`${url}/hello`)).traceId);
  return receiver.spans.filter((span) => span.traceId === traceId);
}
