/** By default nothing of what was asked, answered or sent is in any line, span or metric: planted everywhere, searched at every exit. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasPostgres, type PostgresServer, startPostgres } from '../../../apps/fit-check/test/servers/postgres.ts';
import { type Exits, type Left, MODELS, runService, SDKS } from './privacy/exits.ts';
import { MARKER, placesIn, STATE_MARKER } from './privacy/marks.ts';

let postgres: PostgresServer | undefined;
let env: Readonly<Record<string, string>> = {};
beforeAll(async () => {
  if (!hasPostgres()) return;
  postgres = await startPostgres();
  env = { DATABASE_URL: postgres.url() };
});
afterAll(() => postgres?.close());

const EXITS = [
  'stdout',
  'stderr',
  'spans',
  'otlp bytes',
  'otlp headers',
  'metrics',
  'openmetrics',
  'health',
  'ready',
  'console',
] as const satisfies readonly (keyof Exits)[];

const NAMES = [
  'POST /ask',
  'invoke_agent researcher',
  'breaker llm',
  'execute_tool fail',
  'evaluate helpful',
  'cache answers',
  'phase answer',
  'INSERT asked',
];

describe('by default', () => {
  let left: Left;
  beforeAll(async () => {
    left = await runService(env);
  });

  test('it was planted: providers were asked with it and answered with it, callers got it, and all was recorded', () => {
    const { received, answers, spans, lines } = left;
    for (const place of ['prompt', 'system', 'tool-result', 'own-header', 'own-query', 'api-key', 'query', 'cookie'])
      expect.soft(received).toMatch(new RegExp(`${MARKER}(?: |\\+|%20)${place}`));
    for (const place of ['answer', 'refusal', 'thinking', 'arguments', '429', 'mid-stream', 'error'])
      expect.soft(answers).toContain(`${MARKER} ${place}`);
    const asked = spans.filter(({ name }) => /^(chat|generate_content) /.test(name));
    expect(asked).toHaveLength(SDKS.length * MODELS.length);
    for (const ending of [undefined, '429', 'IncompleteStreamError'])
      expect(asked.filter(({ attributes }) => attributes['error.type'] === ending)).toHaveLength(SDKS.length);
    expect(lines.filter(({ message }) => String(message).endsWith('Request completed')).length).toBeGreaterThan(20);
    expect(lines.filter(({ message }) => String(message).startsWith('[session-throw] Phase failed'))).toHaveLength(1);
    expect(lines.filter(({ message }) => message === 'A request could not be recorded whole')).toHaveLength(1);
    const scoreless = lines.filter(({ message }) => String(message).startsWith('A score was left out'));
    expect(new Set(scoreless.map(({ value }) => value))).toEqual(new Set(['string']));
    expect(spans.map(({ name }) => name)).toEqual(expect.arrayContaining([...NAMES]));
    // The console was told all of it as well, and what ran meanwhile.
    for (const name of [...NAMES, 'event: live', 'event: chunks', 'event: health', 'Phase failed', '__unmatched__'])
      expect.soft(left.exits.console).toContain(name);
    const systems = new Set(spans.map(({ attributes }) => attributes['db.system.name']));
    expect(systems).toEqual(new Set([undefined, 'sqlite', ...(postgres === undefined ? [] : ['postgresql'])]));
  });

  test.each(EXITS)('%s says nothing of it', (exit) => {
    const text = left.exits[exit];
    // A span has its trace's state with it, as OTLP asks; nothing else of it tells of that.
    expect(placesIn(exit === 'otlp bytes' ? text.replaceAll(STATE_MARKER, '') : text)).toEqual([]);
  });

  test('all that it writes is its log', () => expect(left.exits.stderr).toBe(''));
});

describe('each exit is searched', () => {
  let left: Left;
  beforeAll(async () => {
    left = await runService({
      ...env,
      SAYS: '1',
      OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'SPAN_AND_EVENT',
    });
  });

  test.each(EXITS.filter((exit) => exit !== 'otlp headers'))('%s: what is said there is found', (exit) => {
    expect(placesIn(left.exits[exit])).not.toEqual([]);
  });

  test('prompts and answers that are captured are in attributes and events', () => {
    for (const place of ['prompt', 'system', 'answer', 'tool-result']) {
      const holds = (value: unknown): boolean => JSON.stringify(value).includes(`${MARKER} ${place}`);
      expect.soft([place, left.spans.some(({ attributes }) => holds(attributes))]).toEqual([place, true]);
      expect.soft([place, left.spans.some(({ events }) => holds(events))]).toEqual([place, true]);
    }
  });
});
