import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const FOLDER = new URL('../src/adapters/', import.meta.url);
const MAX_LINES = 80;

test.each(readdirSync(FOLDER).filter((name) => name.endsWith('.ts')))('%s is thin', (name) => {
  const lines = readFileSync(new URL(name, FOLDER), 'utf8').split('\n');
  const code = lines.filter((line) => !/^\s*($|\/\/|\/?\*)/.test(line));
  expect(code.length).toBeLessThanOrEqual(MAX_LINES);
});
