/** One run of the service: started, asked once, stopped, with all that it told. */
import { spawn } from 'node:child_process';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { until } from '../../../../apps/fit-check/test/until.ts';
import { type ReceivedSpan, startOtlpReceiver } from '../otlp/receiver.ts';

export type LogLine = Readonly<Record<string, unknown>>;

export interface Run {
  readonly answer: unknown;
  readonly status: number;
  /** Of Binnacle's exporter. */
  readonly spans: readonly ReceivedSpan[];
  /** Of an exporter of the host's own, which is told of its endpoint by `HOST_OTLP_URL`. */
  readonly hosts: readonly ReceivedSpan[];
  readonly lines: readonly LogLine[];
  /** The scrape after the request. */
  readonly metrics: string;
  /** What was written and is no line of the log: warnings of Node's own. */
  readonly strays: readonly string[];
  readonly exit: number | NodeJS.Signals;
}

export interface RunOptions {
  readonly node: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** More that it is asked, once it has answered the first request; `output` is what it has written so far. */
  also?(url: string, output: readonly string[]): Promise<void>;
}

/** A server that the service asks, and the headers of each request by its path. */
export interface Upstream {
  readonly url: string;
  readonly headers: ReadonlyMap<string, readonly IncomingHttpHeaders[]>;
  close(): void;
}

export async function startUpstream(): Promise<Upstream> {
  const headers = new Map<string, IncomingHttpHeaders[]>();
  const server = createServer((req, res) => {
    const path = req.url ?? '';
    headers.set(path, [...(headers.get(path) ?? []), req.headers]);
    res.end('well');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    headers,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Starts it, asks `POST /ask` once, ends it by SIGTERM, and gives what came until it was gone. */
export async function runOnce({ node, args, folder, env, also }: RunOptions): Promise<Run> {
  const [receiver, host] = await Promise.all([startOtlpReceiver(), startOtlpReceiver()]);
  const { PATH = '', HOME = '', TMPDIR = '' } = process.env;
  const kept = { PATH, HOME, ...(TMPDIR !== '' && { TMPDIR }) };
  const telling = { LOG_FORMAT: 'json', LOG_CALLER: 'true', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url };
  const child = spawn(node, args, {
    cwd: folder,
    env: { ...kept, ...telling, HOST_OTLP_URL: host.tracesUrl, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => output.push(line));
  const exited = new Promise<number | NodeJS.Signals>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal ?? 1)),
  );
  try {
    const url = await until('the service listens', () => {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${output.join('\n')}`);
      return output.map((line) => /Server listening at (http:\S+?)"/.exec(line)?.[1]).find(Boolean);
    });
    const response = await fetch(`${url}/ask`, { method: 'POST' });
    const answer: unknown = await response.json();
    await also?.(url, output);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    child.kill('SIGTERM');
    const exit = await exited;
    const { lines, strays } = split(output);
    const told = { spans: [...receiver.spans], hosts: [...host.spans], lines, metrics, strays };
    return { answer, status: response.status, ...told, exit };
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
    await Promise.all([receiver.close(), host.close()]);
  }
}

function split(output: readonly string[]): { lines: LogLine[]; strays: string[] } {
  const lines: LogLine[] = [];
  const strays: string[] = [];
  for (const text of output) {
    if (text.startsWith('{')) lines.push(JSON.parse(text) as LogLine);
    else strays.push(text);
  }
  return { lines, strays };
}
