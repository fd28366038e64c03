import { describe, expect, it } from 'vitest';
import { createPendingRows } from './pending.ts';
import type { SessionRow } from './store.ts';

const row = (session_id: string, analysis: string | null = null): SessionRow => ({
  session_id,
  status: 'complete',
  created_at: '',
  updated_at: '',
  duration_ms: 1,
  owner: 'a',
  revision: 1,
  analysis,
});

describe('rows that wait', () => {
  it('are one a session, the newest, and leave in the order in which they came', () => {
    const pending = createPendingRows({ rows: 10, bytes: 1e6 });
    const [old, other, newer] = [row('s1'), row('s2'), row('s1')];
    for (const each of [old, other, newer]) expect(pending.add(each)).toEqual([]);
    expect(pending.rows()).toEqual([other, newer]);
    expect(pending.delete(old)).toBe(false);
    expect(pending.get('s1')).toBe(newer);
    expect(pending.delete(other)).toBe(true);
    expect(pending.first()).toBe(newer);
    expect(pending.size).toBe(1);
  });

  it('are bounded by number: the oldest has to go', () => {
    const pending = createPendingRows({ rows: 2, bytes: 1e6 });
    const rows = ['s1', 's2', 's3'].map((id) => row(id));
    expect(rows.flatMap((each) => pending.add(each))).toEqual([rows[0]]);
    expect(pending.rows()).toEqual(rows.slice(1));
  });

  it('are bounded by bytes, and one that is too large for all of it is not taken', () => {
    const pending = createPendingRows({ rows: 100, bytes: 10_000 });
    const rows = ['s1', 's2', 's3'].map((id) => row(id, 'x'.repeat(1500)));
    expect(rows.flatMap((each) => pending.add(each))).toEqual([rows[0]]);
    const huge = row('s4', 'x'.repeat(5000));
    expect(pending.add(huge)).toEqual([...rows.slice(1), huge]);
    expect(pending.size).toBe(0);
    // What went is no longer counted.
    expect(rows.slice(0, 2).flatMap((each) => pending.add(each))).toEqual([]);
  });
});
