/** The examples of the SDKs as users run them, against providers' recorded streams: asked, left, and stopped by a signal. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../../apps/fit-check/test/until.ts';
import { type OtlpReceiver, startOtlpReceiver } from './otlp/receiver.ts';
import { quietPort } from './pack/port.ts';
import { type StartedService, startService } from './pack/service.ts';
import { type Replay, readWire, sse, startReplay } from './wire/replay.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FOLDER = 'examples/sdk';

interface Provider {
  /** Variables that the SDK reads by itself. */
  readonly env: (url: string) => Readonly<Record<string, string>>;
  readonly name: string;
  readonly model: string;
  readonly fixture: string;
  /** What the stream says, and what it cost. */
  readonly answer: string;
  readonly tokens: readonly [input: number, output: number];
}

const OPENAI: Provider = {
  env: (url) => ({ OPENAI_BASE_URL: `${url}/v1`, OPENAI_API_KEY: 'sk-hunter2' }),
  ...{ name: 'openai', model: 'gpt-4o', fixture: 'openai/text.sse', answer: '"This is a test."', tokens: [12, 5] },
};
const ANTHROPIC: Provider = {
  env: (url) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'sk-hunter2' }),
  ...{ name: 'anthropic', model: 'claude-opus-4-8', fixture: 'anthropic/text.sse' },
  ...{ answer: 'Hello there!', tokens: [11, 6] },
};
const GOOGLE: Provider = {
  env: (url) => ({ GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: 'sk-hunter2' }),
  ...{ name: 'gcp.gemini', model: 'gemini-2.5-flash', fixture: 'google/text.sse' },
  ...{ answer: '42 = **4242**.', tokens: [13, 63 + 75] },
};

const EXAMPLES: Readonly<Record<string, { readonly provider: Provider; readonly around: readonly string[] }>> = {
  'openai.ts': { provider: OPENAI, around: [] },
  'anthropic.ts': { provider: ANTHROPIC, around: [] },
  'google.ts': { provider: GOOGLE, around: [] },
  'ai-sdk.ts': { provider: OPENAI, around: ['invoke_agent answerer'] },
  'langchain.ts': { provider: OPENAI, around: ['invoke_workflow RunnableSequence'] },
};

test('each is run here', () => {
  expect(readdirSync(ROOT + FOLDER).sort()).toEqual(Object.keys(EXAMPLES).sort());
});

/** Lines that a user writes, imports and closing brackets aside. */
const linesOf = (name: string): string[] =>
  readFileSync(`${ROOT}${FOLDER}/${name}`, 'utf8')
    .split('\n')
    .filter((line) => !/^\s*($|\/\/|import |[)}\]]+[,;]?$)/.test(line));

describe.each(Object.entries(EXAMPLES))('%s', (name, { provider, around }) => {
  const { model, tokens, fixture } = provider;
  const events = readWire(fixture);
  let replay: Replay;
  let receiver: OtlpReceiver;
  let service: StartedService;
  let url = '';

  beforeAll(async () => {
    [replay, receiver] = await Promise.all([startReplay(sse(events)), startOtlpReceiver()]);
    const port = await quietPort();
    url = `http://127.0.0.1:${port}`;
    service = startService({
      node: process.execPath,
      flags: [`${ROOT}node_modules/tsx/dist/cli.mjs`, '--tsconfig', 'examples/tsconfig.json'],
      file: `${FOLDER}/${name}`,
      folder: ROOT,
      env: {
        ...{ LOG_FORMAT: 'json', ENVIRONMENT: 'test', PORT: String(port) },
        ...{ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '50' },
        ...provider.env(replay.url),
      },
    });
    await service.whenItAnswers(`${url}/health/live`);
  });
  afterAll(async () => {
    await service?.kill();
    await Promise.all([replay?.close(), receiver?.close()]);
  });

  const ask = (id: string, signal?: AbortSignal): Promise<Response> =>
    fetch(`${url}/ask`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': id },
      body: '{"question":"marker-7781"}',
      ...(signal && { signal }),
    });
  const closing = (id: string): Promise<Record<string, unknown>> =>
    until(`the closing line of ${id}`, () =>
      service.output
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .find(({ request_id, message }) => request_id === id && message === 'Request completed'),
    );
  const sumOf = async (metric: string, ...labels: readonly string[]): Promise<number> => {
    const rows = (await (await fetch(`${url}/metrics`)).text()).split('\n');
    const of = rows.filter((row) => row.startsWith(`${metric}{`) && labels.every((label) => row.includes(label)));
    return of.reduce((sum, row) => sum + Number(row.split(' ').at(-1)), 0);
  };
  const spansOf = (traceId: unknown) => receiver.spans.filter((span) => span.traceId === traceId);

  test('is at most 20 lines', () => {
    expect(linesOf(name).length).toBeLessThanOrEqual(20);
  });

  test('streams what the provider says, and every signal tells it', async () => {
    const response = await ask('whole');
    expect(response.status).toBe(200);
    expect(await response.text()).toContain(provider.answer);
    expect(JSON.stringify(replay.requests.at(-1)?.body)).toContain('marker-7781');
    const line = await closing('whole');
    expect(line).toMatchObject({
      ...{ status: 'success', http_status: 200, route: '/ask' },
      llm: { provider: provider.name, model, calls: 1, input_tokens: tokens[0], output_tokens: tokens[1] },
    });
    for (const [index, type] of ['input', 'output'].entries())
      expect(await sumOf('gen_ai_client_token_usage_sum', `gen_ai_token_type="${type}"`)).toBe(tokens[index]);
    expect(await sumOf('llm_calls_total', 'status="success"')).toBe(1);
    const names = ['POST /ask', ...around, expect.stringMatching(/^(chat|generate_content) /), 'POST'].sort();
    await until('its spans', () => spansOf(line.trace_id).length >= names.length);
    const spans = spansOf(line.trace_id);
    expect(spans.map((span) => span.name).sort()).toEqual(expect.arrayContaining(names));
    expect(spans.find((span) => 'gen_ai.usage.input_tokens' in span.attributes)?.attributes).toMatchObject({
      'gen_ai.provider.name': provider.name,
      'gen_ai.request.model': model,
      'gen_ai.usage.input_tokens': tokens[0],
      'gen_ai.usage.output_tokens': tokens[1],
    });
  });

  test('a client that goes away ends the call upstream', async () => {
    replay.answers = [sse(events.slice(0, events.length / 2), 'hold')];
    const [leave, before] = [new AbortController(), replay.aborts.length];
    const response = await ask('left', leave.signal);
    await response.body?.getReader().read();
    leave.abort();
    await until('the provider hears of it', () => replay.aborts.length > before);
    expect(await closing('left')).toMatchObject({ status: 'cancelled', http_status: 499, llm: { model, calls: 1 } });
    await until('it is counted', async () => (await sumOf('llm_calls_total', 'status="cancelled"')) === 1);
    expect(await sumOf('llm_calls_total', 'status="success"')).toBe(1);
  });

  test('stops in order, without a word of prompts, answers and keys', async () => {
    expect(await service.stop()).toBe(0);
    expect(service.output.at(-1)).toContain('Shut down');
    expect([service.output.join('\n'), JSON.stringify(receiver.spans)].join()).not.toMatch(/marker-7781|hunter2/);
  });
});
