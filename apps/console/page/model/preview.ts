/** The few fields of a line that say most about it, for the end of its row. */
import { duration } from './format.ts';
import type { Attribute, LogRecord } from './wire.ts';

/** What every line of a request has, and what stands in a row already. */
const ALWAYS = new Set([
  'request_id',
  'session_id',
  'user_id',
  'ip',
  'trace_flags',
  'version',
  'environment',
  'module',
  'function',
  'line',
  'phase',
]);
const MOST = 5;
const LONGEST = 60;

export function previewOf({ fields }: Pick<LogRecord, 'fields'>): string {
  const words: string[] = [];
  for (const [key, value] of Object.entries(fields)) {
    if (ALWAYS.has(key) || words.length >= MOST) continue;
    const text = wordsOf(key, value);
    if (text !== undefined) words.push(text);
  }
  return words.join('  ');
}

function wordsOf(key: string, value: Attribute): string | undefined {
  if (key === 'exception' && typeof value === 'object' && value !== null && 'type' in value) return String(value.type);
  if (typeof value === 'object' || value === '') return undefined;
  if (typeof value === 'number' && key.endsWith('_ms')) return `${key.slice(0, -3)}=${duration(value)}`;
  const text = String(value);
  return text.length > LONGEST ? undefined : `${key}=${text}`;
}
