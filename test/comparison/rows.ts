/** What is compared: each row asks both services the same, and its cells are what came of it. */
import { fileURLToPath } from 'node:url';
import { until } from '../../apps/fit-check/test/until.ts';
import type { ReceivedSpan } from '../../packages/binnacle/test/otlp/receiver.ts';
import { loadScript } from '../scripts/module.ts';
import type { Assembly, Kind } from './assembly.ts';

/** One question. `ask` gives the cell: what this service did, in words. */
export interface Row {
  readonly what: string;
  /** How it was found out. */
  readonly how: string;
  ask(assembly: Assembly): Promise<string>;
}

const STREAM_EVENTS = 8;
const EVENT_S = 0.1;
const RANDOM_ADDRESSES = 2000;
const WORDS = 5000;
const PROBES = 200;
const PROBE_MS = 3000;
/** How long is waited for what may never come. */
const PATIENCE_MS = 2000;
/** Requests at once: enough to be quick, few enough to need no queue. */
const AT_ONCE = 50;

/** The value of the series of a name whose labels hold all these texts. */
function seriesOf(samples: ReadonlyMap<string, number>, name: RegExp, ...texts: readonly string[]): [string, number][] {
  return [...samples].filter(([key]) => name.test(key) && texts.every((text) => key.includes(text)));
}

const REQUEST_COUNT = /^http_(?:server_)?request_duration_seconds_count\{/;
const REQUEST_SUM = /^http_(?:server_)?request_duration_seconds_sum\{/;

/** A line as either writes it. */
interface ClosingLine {
  readonly msg?: string;
  readonly message?: string;
  readonly http_status?: number;
  readonly res?: { readonly statusCode: number };
  readonly status?: string;
}

/** Asks many addresses, some at once. */
async function askAll(assembly: Assembly, paths: readonly string[]): Promise<void> {
  for (let at = 0; at < paths.length; at += AT_ONCE)
    await Promise.all(paths.slice(at, at + AT_ONCE).map((path) => fetch(`${assembly.url}${path}`).then(drain)));
}

async function drain(response: Response): Promise<void> {
  await response.arrayBuffer();
}

/** The line that closes a request, by its trace; undefined where none came before the request's span. */
function closingOf(assembly: Assembly, traceId: string): Record<string, unknown> | undefined {
  return assembly
    .lines()
    .find((line) => line.trace_id === traceId && /request completed/i.test(String(line.msg ?? line.message)));
}

const streams: readonly Row[] = [
  {
    what: "A stream's duration in the histogram",
    how: `A stream of ${STREAM_EVENTS} events, ${EVENT_S} s apart; the sum of the request histogram for its route.`,
    async ask(assembly) {
      const { traceId } = await assembly.ask(`/stream?events=${STREAM_EVENTS}`);
      await assembly.spansOf(traceId);
      const [[, seconds] = ['', 0]] = seriesOf(await assembly.scrape(), REQUEST_SUM, 'route="/stream"');
      return seconds >= (STREAM_EVENTS - 1) * EVENT_S ? 'to its last byte' : 'not to its last byte';
    },
  },
  {
    what: "A stream's first byte, its events, its longest silence",
    how: "After that stream, the scrape is searched for series of its route that are none of the histogram's.",
    async ask(assembly) {
      const others = seriesOf(await assembly.scrape(), /first_byte|stream_events|longest_gap/, 'route="/stream"');
      const names = new Set(others.map(([key]) => key.replace(/(_bucket|_sum|_count)?\{.*/, '')));
      return names.size === 0 ? 'not told' : `${names.size} metrics`;
    },
  },
  {
    what: 'A client leaves within a stream: the metric',
    how: "The client closes its connection after the first event; once the request's span has arrived, the status label of the request histogram.",
    async ask(assembly) {
      const { traceId } = await assembly.ask('/stream?events=100&left', { leaves: true });
      await assembly.spansOf(traceId);
      const counts = seriesOf(await assembly.scrape(), REQUEST_COUNT, 'route="/stream"');
      const codes = counts.map(([key]) => /(?:status_code)="(\d+)"/.exec(key)?.[1]);
      const left = codes.find((code) => code !== '200');
      if (left !== undefined) return `counted as ${left}`;
      return counts.some(([, count]) => count > 1) ? 'counted as 200' : 'not counted';
    },
  },
  {
    what: 'A client leaves within a stream: its last line',
    how: 'Of the same request, by its trace id: the message of its last line, the status that this says, and the outcome where it says one.',
    async ask(assembly) {
      const { traceId } = await assembly.ask('/stream?events=100&left', { leaves: true });
      await assembly.spansOf(traceId);
      // Lines come in order: where a later one is there, this one is, or never will be.
      const later = await assembly.ask('/hello');
      await until('a later line', () => closingOf(assembly, later.traceId));
      const line = assembly.lines().findLast((one) => one.trace_id === traceId) as ClosingLine | undefined;
      const { msg, message = msg, http_status, res, status } = line ?? {};
      const outcome = status === undefined ? '' : `, \`${status}\``;
      return `"${message}", ${http_status ?? res?.statusCode}${outcome}`;
    },
  },
];

/** Whether it comes to pass within a time that is long for it. */
const soon = (what: string, ask: () => boolean): Promise<boolean> =>
  until(what, ask, PATIENCE_MS).then(
    () => true,
    () => false,
  );

const models: readonly Row[] = [
  {
    what: "A reader leaves an LLM's stream: the call to the model",
    how: `A route that hands on the stream of OpenAI's SDK, as its documentation has it; the client leaves after the first words, while the model thinks on. Whether the model's side sees its connection end within ${PATIENCE_MS / 1000} s.`,
    async ask(assembly) {
      assembly.llm.behaviour = { kind: 'hold' };
      const { traceId } = await assembly.ask('/chat', { method: 'POST', body: { question: 'Why?' }, leaves: true });
      await assembly.spansOf(traceId);
      const ended = await soon('the call is ended', () => assembly.llm.aborted > 0);
      // Where it still runs, the model may now speak to its end.
      assembly.llm.release();
      return ended ? 'is ended' : 'goes on, unread';
    },
  },
  {
    what: "A reader leaves an LLM's stream: its span",
    how: `The spans that name that call, up to ${PATIENCE_MS / 1000} s after it is over.`,
    async ask(assembly) {
      return (await soon('its span', () => callsOf(assembly).length > 0)) ? 'arrives' : 'never arrives';
    },
  },
  {
    what: "A reader leaves an LLM's stream: its tokens",
    how: 'Usage on the spans of that call, and `ai_tokens_estimated_total` (a tokenizer is given to `observe()`; the provider had told nothing when the reader left).',
    async ask(assembly) {
      const told = callsOf(assembly).some(({ attributes }) =>
        Object.keys(attributes).some((key) => key.startsWith('gen_ai.usage.')),
      );
      if (told) return "told as the provider's";
      const estimated = seriesOf(await assembly.scrape(), /^ai_tokens_estimated_total\{/);
      return estimated.some(([, count]) => count > 0) ? 'estimated, and marked so' : 'not told';
    },
  },
  {
    what: "Vercel's AI SDK, telemetry on: the prompt",
    how: 'A prompt with a word of its own is asked through `streamText`; spans and lines are searched for that word.',
    async ask(assembly) {
      assembly.llm.behaviour = { kind: 'answer' };
      const { traceId } = await assembly.ask('/agent', { method: 'POST', body: { question: 'Say quillfeather' } });
      return placesOf(assembly, 'quillfeather', await assembly.spansOf(traceId));
    },
  },
];

/** Spans of calls of OpenAI's SDK. */
const callsOf = ({ receiver }: Assembly): ReceivedSpan[] =>
  receiver.spans.filter(({ name }) => name === 'chat double-1');

/** Where a word went that nobody asked for. */
function placesOf(assembly: Assembly, word: string, spans: readonly object[]): string {
  const places = [
    ...(JSON.stringify(spans).includes(word) ? ['on spans'] : []),
    ...(assembly.output.some((line) => line.includes(word)) ? ['in log lines'] : []),
  ];
  return places.length === 0 ? 'nowhere' : places.join(' and ');
}

const words: readonly Row[] = [
  {
    what: "A request's query string",
    how: '`GET /hello?q=` with a word of its own; spans and lines are searched for it.',
    async ask(assembly) {
      const { traceId } = await assembly.ask('/hello?q=marrowstone');
      return placesOf(assembly, 'marrowstone', await assembly.spansOf(traceId));
    },
  },
  {
    what: 'A bearer three levels deep in a log line',
    how: '`request.log.info({ call: { headers: { authorization } } })`; the line is searched for the bearer.',
    async ask(assembly) {
      const { traceId } = await assembly.ask('/line', {
        method: 'POST',
        body: { authorization: 'Bearer tallowbright' },
      });
      await until('the line is written', () => assembly.lines().some((line) => line.trace_id === traceId && line.call));
      return assembly.output.some((line) => line.includes('tallowbright')) ? 'written' : 'withheld';
    },
  },
  {
    what: 'Log lines a request',
    how: 'All lines written while `GET /items/7` is answered, and those of them with the trace id that came in `traceparent`.',
    async ask(assembly) {
      const before = assembly.lines().length;
      const { traceId } = await assembly.ask('/items/7');
      await until('the request is closed', () => closingOf(assembly, traceId));
      const lines = assembly.lines().slice(before);
      const marked = lines.filter((line) => line.trace_id === traceId).length;
      return `${lines.length}, ${marked === lines.length ? 'with the trace id' : `${marked} with the trace id`}`;
    },
  },
  {
    what: 'The span of `GET /items/7`',
    how: "The name of the server's span of that request.",
    async ask(assembly) {
      const { traceId } = await assembly.ask('/items/7');
      const span = (await assembly.spansOf(traceId)).find(({ kind }) => kind === 2);
      return `\`${span?.name}\``;
    },
  },
];

const numbers: readonly Row[] = [
  {
    what: `${RANDOM_ADDRESSES.toLocaleString('en')} random addresses: label sets of the request histogram`,
    how: 'As a scanner asks: none of them has a route. Label sets of the request histogram with a 404.',
    async ask(assembly) {
      const random = (at: number): string => `/${(at * 2654435761).toString(36)}/${at}`;
      await askAll(
        assembly,
        Array.from({ length: RANDOM_ADDRESSES }, (_, at) => random(at)),
      );
      const found = seriesOf(await assembly.scrape(), REQUEST_COUNT, '"404"');
      if (found.length === 0) return 'none: not counted';
      return found.length.toLocaleString('en');
    },
  },
  {
    what: `A counter of your own, a label of ${WORDS.toLocaleString('en')} values: its series`,
    how: 'Series of that counter in the scrape. Past 1,000, unless told otherwise, new ones share one.',
    async ask(assembly) {
      const searched = Array.from({ length: WORDS }, (_, at) => `word-${at}`);
      await assembly.ask('/searches', { method: 'POST', body: { words: searched } });
      const found = seriesOf(await assembly.scrape(), /^searches_total\{/);
      return found.length.toLocaleString('en');
    },
  },
];

const health: readonly Row[] = [
  {
    what: `${PROBES} readiness probes: questions to the database`,
    how: 'What the check was asked while they were answered.',
    async ask(assembly) {
      const runs = async (): Promise<number> =>
        (JSON.parse((await assembly.ask('/dependency')).body) as { runs: number }).runs;
      const before = await runs();
      await askAll(assembly, Array(PROBES).fill('/health/ready'));
      // By its own interval a check may have come meanwhile.
      return (await runs()) - before >= PROBES ? 'one a probe' : 'none of theirs';
    },
  },
  {
    what: 'The database hangs: readiness',
    how: `Once the check hangs, the probe is asked until its answer says so, each time for ${PROBE_MS / 1000} s at most.`,
    async ask(assembly) {
      await assembly.ask('/dependency/hang', { method: 'POST' });
      const probe = async (): Promise<string | undefined> => {
        const signal = AbortSignal.timeout(PROBE_MS);
        const response = await fetch(`${assembly.url}/health/ready`, { signal }).catch(() => undefined);
        if (response === undefined) return 'no answer';
        const told = (await response.text()).includes('"timeout"');
        return told ? `${response.status}, names the check` : undefined;
      };
      return until('readiness says so', probe);
    },
  },
];

const collector: readonly Row[] = [
  {
    what: 'The collector answers 500: the log',
    how: 'Until five exports have failed, one after the other; lines that tell of it.',
    async ask(assembly) {
      assembly.receiver.behaviour = { status: 500 };
      const [before, attempts] = [assembly.output.length, assembly.receiver.attempts];
      await until('five exports have failed', async () => {
        await assembly.ask('/hello');
        return assembly.receiver.attempts >= attempts + 5;
      });
      const about = assembly.output.slice(before).filter((line) => !/incoming request|request completed/i.test(line));
      const telling = about.filter((line) => /export|collector|otlp/i.test(line));
      if (telling.length === 0) return 'nothing';
      return telling.length === 1 ? 'one line' : 'a line an export';
    },
  },
  {
    what: 'The collector answers 500: `/metrics`',
    how: 'Series above 0 that count spans as lost.',
    async ask(assembly) {
      const lost = seriesOf(await assembly.scrape(), /span/, 'failed').filter(([, count]) => count > 0);
      assembly.receiver.behaviour = 'healthy';
      return lost.length === 0 ? 'nothing' : 'spans lost, counted';
    },
  },
];

/** In the order in which one service after the other is asked; the last two leave it in trouble. */
export const ROWS: readonly Row[] = [...streams, ...models, ...words, ...numbers, ...collector, ...health];

const FOLDERS: Readonly<Record<Kind, readonly [folder: string, packages: readonly string[]]>> = {
  usual: [
    '../../bench/',
    [
      'pino',
      'fastify-metrics',
      '@godaddy/terminus',
      '@opentelemetry/auto-instrumentations-node',
      '@opentelemetry/sdk-node',
    ],
  ],
  binnacle: ['../../', ['packages/binnacle']],
};

/** Packages that npm installs for each, Fastify left out. */
export async function countPackages(kind: Kind): Promise<string> {
  const { packagesOf } = await loadScript<{
    packagesOf(root: string, names: readonly string[], hosts: readonly string[]): readonly unknown[];
  }>('../bench/installed.mjs');
  const [folder, names] = FOLDERS[kind];
  return String(packagesOf(fileURLToPath(new URL(folder, import.meta.url)), names, ['fastify']).length);
}
