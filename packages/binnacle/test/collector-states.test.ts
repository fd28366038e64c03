/**
 * A service beside a collector in every state, as a process of its own: its requests are answered, its spans add up,
 * its log says it once, and it ends in time. What it costs: `npm run bench:collectors`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from './behaviour/harness.ts';
import { type Compiled, compileModules } from './compiled.ts';
import { type Behaviour, type OtlpReceiver, startOtlpReceiver } from './otlp/receiver.ts';
import { seriesValue } from './signals.ts';

const REQUESTS = 2000;
const TOGETHER = 50;
/** So small that an outage fills it. */
const QUEUE_SPANS = 512;
const FLUSH_MS = 2000;
const EXIT_MS = FLUSH_MS + 2000;
/** Below the first pause of a retry: no attempt begins as the time runs out, whose cause would be that. */
const EXPORT_MS = 700;
/** Longer than any export that arrives; the flush has to cut one that does not. */
const LONG_EXPORT_MS = 60_000;
const LONG: readonly State[] = ['healthy', 'garbage', 'deaf'];
/** Children at a time: each has a processor's work to do. */
const LANES = 2;

const PROGRAM = `
  import { writeFileSync } from 'node:fs';
  import Fastify from 'fastify';
  import { fastifyOptions, observeFastify } from './adapters/fastify.js';
  import { observe } from './observe.js';
  const obs = observe({ service: 'svc', version: '1.0.0' });
  const app = Fastify(fastifyOptions(obs));
  await app.register(observeFastify(obs));
  app.get('/hello', async () => ({ hello: 'world' }));
  obs.stopOnSignals(async () => {
    let text = '';
    for await (const part of obs.scrape().body) text += part;
    writeFileSync(process.env.SCRAPE_FILE, text);
    await app.close();
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  process.send(app.server.address().port);
`;

interface Spans {
  readonly exported: number;
  readonly failed: number;
  readonly dropped: number;
  readonly queue: number;
}

interface Line {
  readonly level: string;
  readonly logger: string;
  readonly message: string;
}

/** What became of a service. */
interface Life {
  readonly statuses: ReadonlySet<number>;
  /** As requests were answered. */
  readonly loaded: readonly Spans[];
  /** After the last flush. */
  readonly ended: Spans;
  /** Of the exporter's, and whatever is worse than INFO. */
  readonly lines: readonly Line[];
  readonly code: number | null;
  readonly exitMs: number;
  /** Ids of the spans that the collector took. */
  readonly taken: readonly string[];
  readonly endpoint: string;
}

type State = Behaviour | 'refused';

/** With what the log says of it. */
const LOSING: readonly (readonly [State, string])[] = [
  ['refused', 'ECONNREFUSED'],
  ['blackHole', 'timeout'],
  ['deaf', 'timeout'],
  [{ delayMs: 5000 }, 'timeout'],
  [{ status: 500 }, 'HTTP 500'],
  [{ status: 503, headers: { 'retry-after': '1' } }, 'HTTP 503'],
  ['reset', 'ECONNRESET'],
  ['invalidHttp', 'HPE_INVALID_CONSTANT'],
];
/** Whatever they answer, they said that they took the spans. */
const TAKING: readonly State[] = ['healthy', 'garbage'];
const BACK = 'back';

let compiled: Compiled;
const lives = new Map<string, Life>();
const keyOf = (state: State): string => JSON.stringify(state);
const sumOf = ({ exported, failed, dropped, queue }: Spans): number => exported + failed + dropped + queue;
const lifeOf = (key: string): Life => {
  const life = lives.get(key);
  if (life === undefined) throw new Error(`no life of ${key}`);
  return life;
};

beforeAll(async () => {
  compiled = await compileModules('observe.ts', 'adapters/fastify.ts');
  writeFileSync(join(compiled.folder, 'program.mjs'), PROGRAM);
  const states = [...LOSING.map(([state]) => state), ...TAKING];
  const runs = [
    ...states.map((state) => async () => lives.set(keyOf(state), await live(state, keyOf(state)))),
    async () => lives.set(BACK, await live('refused', BACK, comeBack)),
  ];
  await Promise.all(
    Array.from({ length: LANES }, async () => {
      for (let run = runs.shift(); run !== undefined; run = runs.shift()) await run();
    }),
  );
}, 120_000);

afterAll(() => compiled?.remove());

describe.each([
  ...LOSING.map(([state]) => [keyOf(state), state] as const),
  ...TAKING.map((s) => [keyOf(s), s] as const),
])('beside a collector that is %s', (key) => {
  test('every request is answered', () => {
    expect([...lifeOf(key).statuses]).toEqual([200]);
  });

  test('every span is counted once, at every time', () => {
    const { loaded, ended } = lifeOf(key);
    expect(loaded.map(sumOf)).toEqual([REQUESTS / 2, REQUESTS]);
    expect(sumOf(ended)).toBe(REQUESTS);
    expect(ended.queue).toBe(0);
    for (const { queue } of loaded) expect(queue).toBeLessThanOrEqual(QUEUE_SPANS);
  });

  test('SIGTERM ends it in time, with status 0', () => {
    const { code, exitMs } = lifeOf(key);
    expect(code).toBe(0);
    expect(exitMs).toBeLessThan(EXIT_MS);
  });
});

test.each(LOSING)('%j: no span is called exported, and the log says why, once', (state, cause) => {
  const { ended, taken, lines, endpoint } = lifeOf(keyOf(state));
  expect(ended.exported).toBe(0);
  expect(ended.failed).toBeGreaterThan(0);
  expect(ended.dropped).toBeGreaterThan(0);
  // A collector that is slow has them and says so too late.
  if (typeof state === 'string' || 'status' in state) expect(taken).toEqual([]);
  expect(lines).toEqual([
    { level: 'WARNING', logger: 'otel', message: `Spans cannot be exported to ${endpoint}: ${cause}` },
  ]);
});

test.each(TAKING)('%j: it has each span that is called exported, once, and the log says nothing', (state) => {
  const { ended, taken, lines } = lifeOf(keyOf(state));
  expect(ended.failed).toBe(0);
  expect(taken).toHaveLength(ended.exported);
  expect(new Set(taken).size).toBe(taken.length);
  expect(lines).toEqual([]);
});

test('once it is back it has the spans from then on, and the log says what was lost', () => {
  const { loaded, ended, taken, lines, endpoint, code } = lifeOf(BACK);
  const [before] = loaded;
  expect(before).toMatchObject({ exported: 0 });
  expect(loaded.map(sumOf)).toEqual([REQUESTS / 2, REQUESTS]);
  expect(ended).toMatchObject({ queue: 0 });
  expect(sumOf(ended)).toBe(REQUESTS);
  expect(ended.exported).toBeGreaterThan(0);
  expect(new Set(taken).size).toBe(ended.exported);
  expect(lines).toHaveLength(2);
  expect(lines[0]?.message).toBe(`Spans cannot be exported to ${endpoint}: ECONNREFUSED`);
  expect(lines[1]?.level).toBe('WARNING');
  const lost = new RegExp(`^Spans are exported to ${endpoint} again; (\\d+) were lost$`).exec(lines[1]?.message ?? '');
  expect(Number(lost?.[1])).toBeGreaterThanOrEqual(REQUESTS / 2 - QUEUE_SPANS);
  expect(Number(lost?.[1])).toBeLessThanOrEqual(ended.failed + ended.dropped);
  expect(code).toBe(0);
});

type Midway = (collector: OtlpReceiver, scrape: () => Promise<string>) => Promise<void>;

/** The collector comes back, and the service has noticed. */
async function comeBack(collector: OtlpReceiver, scrape: () => Promise<string>): Promise<void> {
  await collector.start();
  await waitFor(async () => expect(seriesValue(await scrape(), 'binnacle_exporter_up')).toBe(1));
}

/** A service from its start to its end, beside a collector of its own. */
async function live(state: State, name: string, midway: Midway = async () => {}): Promise<Life> {
  const collector = await startOtlpReceiver({ behaviour: state === 'refused' ? 'healthy' : state });
  if (state === 'refused') await collector.stop();
  const scrapeFile = join(compiled.folder, `scrape-${name.replace(/\W/g, '')}.txt`);
  const child = start(collector.url, scrapeFile, LONG.includes(state) ? LONG_EXPORT_MS : EXPORT_MS);
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const agent = new Agent({ keepAlive: true, maxSockets: TOGETHER });
  try {
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    const written = once(child.stdout as NonNullable<ChildProcess['stdout']>, 'close');
    const [port] = (await Promise.race([once(child, 'message'), refuse(exited)])) as [number];
    const ask = (path: string): Promise<Answered> => request(agent, port, path);
    const scrape = async (): Promise<string> => (await ask('/metrics')).body;
    const first = await askMany(ask, REQUESTS / 2);
    const halfway = await settled(scrape, REQUESTS / 2);
    await midway(collector, scrape);
    const second = await askMany(ask, REQUESTS / 2);
    const loaded = [halfway, await settled(scrape, REQUESTS)];
    const termAt = performance.now();
    child.kill('SIGTERM');
    const [code] = await exited;
    const exitMs = performance.now() - termAt;
    await written;
    return {
      statuses: new Set([...first, ...second]),
      loaded,
      ended: spansIn(readFileSync(scrapeFile, 'utf8')),
      lines: linesIn(output),
      code,
      exitMs,
      taken: collector.spans.map(({ spanId }) => spanId),
      endpoint: collector.tracesUrl,
    };
  } finally {
    child.kill('SIGKILL');
    agent.destroy();
    await collector.close();
  }
}

function start(url: string, scrapeFile: string, exportMs: number): ChildProcess {
  return spawn(process.execPath, [join(compiled.folder, 'program.mjs')], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      SCRAPE_FILE: scrapeFile,
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_EXPORTER_OTLP_TIMEOUT: String(exportMs),
      OTEL_BSP_EXPORT_TIMEOUT: String(exportMs),
      OTEL_BSP_SCHEDULE_DELAY: '100',
      OTEL_BSP_MAX_QUEUE_SIZE: String(QUEUE_SPANS),
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '128',
      SHUTDOWN_DELAY_MS: '0',
      SHUTDOWN_FLUSH_MS: String(FLUSH_MS),
    },
  });
}

async function refuse(exited: Promise<[number | null]>): Promise<never> {
  const [code] = await exited;
  throw new Error(`the service ended with status ${code} before it listened`);
}

interface Answered {
  readonly status: number;
  readonly body: string;
}

function request(agent: Agent, port: number, path: string): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const sent = get({ agent, port, path, host: '127.0.0.1' }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, body }));
      answer.once('error', reject);
    });
    sent.once('error', reject);
  });
}

/** The status of each. */
async function askMany(ask: (path: string) => Promise<Answered>, count: number): Promise<number[]> {
  const statuses: number[] = [];
  let left = count;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      statuses.push((await ask('/hello')).status);
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, lane));
  return statuses;
}

/** A request's span may end a moment after its answer has come; and a scrape is written in pieces. */
async function settled(scrape: () => Promise<string>, ended: number): Promise<Spans> {
  return await waitFor(async () => {
    const spans = spansIn(await scrape());
    expect(sumOf(spans)).toBe(ended);
    return spans;
  });
}

function spansIn(text: string): Spans {
  const result = (what: string): number => seriesValue(text, `binnacle_spans_total{result="${what}"}`) ?? Number.NaN;
  return {
    exported: result('exported'),
    failed: result('failed'),
    dropped: result('dropped'),
    queue: seriesValue(text, 'binnacle_span_queue') ?? Number.NaN,
  };
}

function linesIn(output: string): Line[] {
  const lines = output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
  return lines
    .filter(({ level, logger }) => logger === 'otel' || (level !== 'INFO' && level !== 'DEBUG'))
    .map(({ level, logger, message }) => ({ level, logger, message }));
}
