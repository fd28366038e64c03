/** The service as a process, and everything that leaves it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { openPage } from '../console/page.ts';
import { decodeTraceRequest, type ReceivedSpan } from '../otlp/decode.ts';
import { until } from '../until.ts';
import { type Asked, MARKER, mark, STATE_MARKER } from './marks.ts';
import { type Provider, startProvider } from './provider.ts';

/** What is searched, by its name. */
export type Exits = Readonly<
  Record<
    | 'stdout'
    | 'stderr'
    | 'spans'
    | 'otlp bytes'
    | 'otlp headers'
    | 'metrics'
    | 'openmetrics'
    | 'health'
    | 'ready'
    | 'console',
    string
  >
>;

export interface Left {
  readonly exits: Exits;
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  readonly spans: readonly ReceivedSpan[];
  /** What the provider and the other services were asked. */
  readonly received: string;
  /** What callers were answered. */
  readonly answers: string;
}

export const SDKS: readonly Asked['sdk'][] = ['chat', 'responses', 'messages', 'google', 'ai-sdk', 'langchain'];
export const MODELS = ['whole', 'limited', 'broken', 'cut'] as const;

const HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'application/json',
  authorization: `Bearer ${mark('authorization')}`,
  cookie: `session=${mark('cookie')}`,
  'x-api-key': mark('header'),
  'x-own': mark('header'),
  'user-agent': mark('user-agent'),
  referer: `http://127.0.0.1/?q=${MARKER}`,
  'x-forwarded-for': mark('forwarded'),
  baggage: `said=${MARKER}`,
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  tracestate: `said=${STATE_MARKER}`,
};

/** Starts the service, asks it everything, stops it, and gives what has left it. */
export async function runService(env: Readonly<Record<string, string>>): Promise<Left> {
  const [provider, collector] = await Promise.all([startProvider(), startCollector()]);
  const service = await startService({
    ...env,
    PROVIDER_URL: provider.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  });
  try {
    // Open all the while: it is told what runs too.
    const page = await openPage(service.url);
    const answers = await askAll(service.url);
    const look = async (path: string, accept = '*/*'): Promise<string> =>
      (await fetch(service.url + path, { headers: { accept } })).text();
    // All has ended, and is told.
    const active = /^http_server_active_requests\{http_request_method="POST",url_scheme="http"\} 0$/m;
    await until(async () => active.test(await look('/metrics')));
    const looked = {
      metrics: await look('/metrics'),
      openmetrics: await look('/metrics', 'application/openmetrics-text'),
      health: await look('/health'),
      ready: await look('/health/ready'),
    };
    const output = await service.stop();
    // It ends with its last words, so that it was told everything.
    await page.ended;
    return toLeft({ ...output, ...looked, console: page.text() }, collector, provider, answers);
  } finally {
    service.kill();
    await Promise.all([collector.close(), provider.close()]);
  }
}

function toLeft(
  seen: Omit<Exits, 'spans' | 'otlp bytes' | 'otlp headers'>,
  { bytes, headers, spans }: Collector,
  { received }: Provider,
  answers: readonly string[],
): Left {
  return {
    exits: {
      ...seen,
      spans: JSON.stringify(spans),
      'otlp bytes': Buffer.concat(bytes).toString('latin1'),
      'otlp headers': JSON.stringify(headers),
    },
    lines: seen.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line)),
    spans,
    received: received.join('\n'),
    answers: answers.join('\n'),
  };
}

/** Every request, one after another; what each is answered. */
async function askAll(url: string): Promise<string[]> {
  const answers: string[] = [];
  const ask = async (path: string, body: object, headers = HEADERS): Promise<void> => {
    const init = { method: 'POST', headers, body: JSON.stringify({ ...body, also: mark('body') }) };
    const answered = await fetch(`${url}${path}?q=${MARKER}#${MARKER}`, init).then(
      (response) => response.text(),
      (error: unknown) => String(error),
    );
    answers.push(answered);
  };
  for (const sdk of SDKS) for (const model of MODELS) await ask('/ask', { sdk, model, prompt: mark('prompt') });
  await ask('/others', {});
  await ask('/throw', {});
  await ask('/stream', {});
  await ask('/none', {});
  await ask('/say', {});
  await ask('/say', {}, { ...HEADERS, authorization: `Broken ${mark('authorization')}` });
  const unreadable = await fetch(`${url}/ask`, { method: 'POST', headers: HEADERS, body: `{"${MARKER}` });
  answers.push(await unreadable.text());
  return answers;
}

interface Running {
  readonly url: string;
  /** SIGTERM, and what it wrote. */
  stop(): Promise<{ readonly stdout: string; readonly stderr: string }>;
  kill(): void;
}

async function startService(env: Readonly<Record<string, string>>): Promise<Running> {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const child = spawn(process.execPath, ['--import', tsx, fileURLToPath(new URL('service.ts', import.meta.url))], {
    // Nothing of this shell's: defaults are what is meant.
    env: {
      PATH: process.env.PATH ?? '',
      LOG_FORMAT: 'json',
      LOG_LEVEL: 'TRACE',
      LOG_LEVELS: 'undici=TRACE,openai=TRACE,ioredis=TRACE,otel=TRACE',
      OTEL_BSP_SCHEDULE_DELAY: '50',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const ended = once(child, 'close');
  const [{ port }] = (await Promise.race([
    once(child, 'message'),
    ended.then(() => Promise.reject(new Error(`the service did not start: ${stderr()}${stdout()}`))),
  ])) as [{ port: number }];
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill('SIGTERM');
      const [code] = await ended;
      if (code !== 0) throw new Error(`the service ended with ${code}: ${stderr()}`);
      return { stdout: stdout(), stderr: stderr() };
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

function collect(stream: Readable | null): () => string {
  let text = '';
  stream?.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  return () => text;
}

interface Collector {
  readonly url: string;
  /** Bodies, unpacked. */
  readonly bytes: Buffer[];
  readonly headers: object[];
  readonly spans: ReceivedSpan[];
  close(): Promise<void>;
}

/** Keeps what it is sent as it was sent, beside what that says. */
async function startCollector(): Promise<Collector> {
  const [bytes, headers, spans]: [Buffer[], object[], ReceivedSpan[]] = [[], [], []];
  const server = createServer(async (req, res) => {
    const pieces: Buffer[] = [];
    for await (const piece of req) pieces.push(piece as Buffer);
    const sent = Buffer.concat(pieces);
    const body = req.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
    bytes.push(body);
    headers.push(req.headers);
    spans.push(...decodeTraceRequest(body, req.headers['content-type'] ?? ''));
    res.writeHead(200, { 'content-type': req.headers['content-type'] ?? '' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bytes,
    headers,
    spans,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
