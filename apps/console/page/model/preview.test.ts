import { expect, it } from 'vitest';
import { previewOf } from './preview.ts';

it.each([
  [
    { request_id: 'x', duration_ms: 812.5, status: 'error', http_status: 499 },
    'duration=813 ms  status=error  http_status=499',
  ],
  [{ exception: { type: 'TypeError', message: 'm' }, deep: { a: 1 }, none: null, empty: '' }, 'TypeError'],
  [{ exception: 'text' }, 'exception=text'],
  [{ long: 'x'.repeat(61), a: 1, b: 2, c: 3, d: true, e: 5, f: 6 }, 'a=1  b=2  c=3  d=true  e=5'],
  [{}, ''],
])('%#', (fields, words) => expect(previewOf({ fields: fields as never })).toBe(words));
