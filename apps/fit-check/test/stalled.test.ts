/** A reader that stops reading does not hold its place once its session has ended. */
import { connect } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { startLlm } from './llm-double.ts';
import { value } from './metrics.ts';
import { startService } from './service.ts';
import { until } from './until.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

it('its connection is closed, and its session is settled as what it was', async () => {
  const llm = await startLlm({ kind: 'answer', chunks: Array.from({ length: 60 }, () => 'x'.repeat(400_000)) });
  cleanups.push(() => llm.close());
  const limits = { SESSION_TIMEOUT_MS: '700', LAST_WORDS_MS: '300' };
  const service = await startService({ OPENAI_BASE_URL: llm.url, LLM_MODEL: 'double-1', ...limits });
  cleanups.push(() => service.stop());
  const body = '{"query":"Google","session_id":"stalled"}';
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
  cleanups.push(() => socket.destroy());
  socket.pause().on('error', () => {});
  socket.write(
    `POST /api/fit-check/stream HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  await until('the session runs', async () => (await value(service.url, 'fit_check_active_sessions')) === 1);
  await until('the session is settled', async () => (await value(service.url, 'fit_check_active_sessions')) === 0);
  expect(await value(service.url, 'fit_check_requests_total{status="timeout"}')).toBe(1);
  await until('the closing line', () => service.output.some((line) => line.includes('[stalled] Request completed')));
  const lines = service.lines().filter((line) => line.message === '[stalled] Request completed');
  expect(lines).toMatchObject([{ status: 'timeout', http_status: 200, error_type: 'timeout' }]);
});
