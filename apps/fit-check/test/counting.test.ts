/** The service says what happens (sessions, phases, calls, look-ups); what is counted of it is the library's affair. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const SOURCES = fileURLToPath(new URL('../src/', import.meta.url));
/** Making a metric, setting one, and libraries that do. */
const BY_HAND =
  /\.(?:counter|gauge|histogram|startTimer)\(|\bmeters\b|from '(?:prom-client|systeminformation|@opentelemetry\/[^']+)'/;

it('the service tells what happens, and counts nothing by hand', () => {
  const paths = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.ts') && !path.includes('.test'),
  );
  expect(paths).toContain('app.ts');
  expect(paths.filter((path) => BY_HAND.test(readFileSync(`${SOURCES}${path}`, 'utf8')))).toEqual([]);
  expect('obs.counter({})').toMatch(BY_HAND);
});
