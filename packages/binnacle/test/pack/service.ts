/** One run of a user's service: started, asked, stopped by SIGTERM, with all that it told. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { until } from '../../../../apps/fit-check/test/until.ts';
import { type ReceivedSpan, startOtlpReceiver } from '../otlp/receiver.ts';

export interface ServiceToStart {
  readonly node: string;
  /** Flags of Node.js, before the file. */
  readonly flags?: readonly string[];
  readonly file: string;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface StartedService {
  /** What it has written so far, line by line. */
  readonly output: readonly string[];
  /** Waits for an answer, whatever it is; rejects with the output once it has ended. */
  whenItAnswers(url: string): Promise<void>;
  /** Ends it by SIGTERM, and resolves with its status. */
  stop(): Promise<number | NodeJS.Signals>;
  /** Ends it in any case. */
  kill(): Promise<void>;
}

/** How long a start may take, in milliseconds. */
const START_MS = 50_000;

export function startService({ node, flags = [], file, folder, env }: ServiceToStart): StartedService {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(node, [...flags, file], {
    cwd: folder,
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => output.push(line));
  const exited = new Promise<number | NodeJS.Signals>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal ?? 1)),
  );
  return {
    output,
    async whenItAnswers(url) {
      await until(
        'the service answers',
        () => {
          if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${output.join('\n')}`);
          return fetch(url).then(
            () => true,
            () => false,
          );
        },
        START_MS,
      );
    },
    stop() {
      child.kill('SIGTERM');
      return exited;
    },
    async kill() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
    },
  };
}

/** A service to be run, and how it is asked. */
export interface ServiceToRun extends Omit<ServiceToStart, 'env'> {
  /** That it listens on; it is told of it by `PORT`. */
  readonly port: number;
  readonly ask: { readonly method: 'GET' | 'POST'; readonly path: string };
}

export interface ServiceRun {
  readonly status: number;
  readonly answer: string;
  readonly metrics: string;
  /** Status codes of the probes, by path. */
  readonly probes: Readonly<Record<string, number>>;
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  /** Whatever was written and is no line of the log. */
  readonly strays: readonly string[];
  readonly spans: readonly ReceivedSpan[];
  readonly exit: number | NodeJS.Signals;
}

const PROBES = ['/health', '/health/live', '/health/ready'];

export async function runService({ port, ask, ...service }: ServiceToRun): Promise<ServiceRun> {
  const receiver = await startOtlpReceiver();
  const env = { LOG_FORMAT: 'json', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, PORT: String(port) };
  const started = startService({ ...service, env });
  const url = `http://127.0.0.1:${port}`;
  try {
    await started.whenItAnswers(`${url}/health/live`);
    const response = await fetch(url + ask.path, { method: ask.method, headers: { 'x-request-id': 'asked' } });
    const answer = await response.text();
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const codes = PROBES.map(async (path) => [path, (await fetch(url + path)).status] as const);
    const probes = Object.fromEntries(await Promise.all(codes));
    const exit = await started.stop();
    const isLine = (text: string): boolean => text.startsWith('{');
    const lines = started.output.filter(isLine).map((text) => JSON.parse(text) as Record<string, unknown>);
    const strays = started.output.filter((text) => !isLine(text));
    return { status: response.status, answer, metrics, probes, lines, strays, spans: [...receiver.spans], exit };
  } finally {
    await started.kill();
    await receiver.close();
  }
}
