/** One run of a user's service: started, asked, stopped by SIGTERM, with all that it told. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { until } from '../../../../apps/fit-check/test/until.ts';
import { type ReceivedSpan, startOtlpReceiver } from '../otlp/receiver.ts';

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

/** A service to be run, and how it is asked. */
export interface ServiceToRun {
  readonly node: string;
  /** Flags of Node.js, before the file. */
  readonly flags?: readonly string[];
  readonly file: string;
  readonly folder: string;
  /** That it listens on; `PORT` too. */
  readonly port: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Asked until it answers. */
  readonly live?: string;
  readonly ask: { readonly method: 'GET' | 'POST'; readonly path: string };
}

export async function runService({
  node,
  flags = [],
  file,
  folder,
  port,
  env: more,
  live = '/health/live',
  ask,
}: ServiceToRun): Promise<ServiceRun> {
  const receiver = await startOtlpReceiver();
  const { PATH = '', HOME = '' } = process.env;
  const telling = { LOG_FORMAT: 'json', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, PORT: String(port) };
  const env = { PATH, HOME, ...telling, ...more };
  const child = spawn(node, [...flags, file], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => output.push(line));
  const exited = new Promise<number | NodeJS.Signals>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal ?? 1)),
  );
  const url = `http://127.0.0.1:${port}`;
  try {
    await until('the service answers', () => {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${output.join('\n')}`);
      return fetch(url + live).then(
        ({ ok }) => ok,
        () => false,
      );
    });
    const response = await fetch(url + ask.path, { method: ask.method, headers: { 'x-request-id': 'asked' } });
    const answer = await response.text();
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const codes = PROBES.map(async (path) => [path, (await fetch(url + path)).status] as const);
    const probes = Object.fromEntries(await Promise.all(codes));
    child.kill('SIGTERM');
    const exit = await exited;
    const isLine = (text: string): boolean => text.startsWith('{');
    const lines = output.filter(isLine).map((text) => JSON.parse(text) as Record<string, unknown>);
    const strays = output.filter((text) => !isLine(text));
    return { status: response.status, answer, metrics, probes, lines, strays, spans: [...receiver.spans], exit };
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
    await receiver.close();
  }
}
