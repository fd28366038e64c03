import type { Ending, Session } from 'binnacle';
import { describe, expect, it } from 'vitest';
import { recordSession } from './record.ts';
import type { SessionRun } from './store/keeper.ts';

/** A run whose writes are stored or not, and a session that ends when it is told to. */
function setUp(stored: boolean): {
  run: { -readonly [K in keyof SessionRun]: SessionRun[K] };
  writes: unknown[][];
  notes: Record<string, unknown>;
  settle: (ending: Ending) => void;
  record: ReturnType<typeof recordSession>;
} {
  const writes: unknown[][] = [];
  const notes: Record<string, unknown> = {};
  const run = {
    id: 's1',
    stored,
    keep: async (analysis: object) => void writes.push(['keep', analysis]),
    finish: async (...how: unknown[]) => void writes.push(['finish', ...how]),
  };
  let settle: (ending: Ending) => void = () => {};
  const session: Session = {
    id: 's1',
    signal: new AbortController().signal,
    remainingMs: () => 1000,
    settled: new Promise((resolve) => {
      settle = resolve;
    }),
    phase: () => Promise.reject(new Error('not asked for')),
    note: (fields) => void Object.assign(notes, fields),
  };
  return { run, writes, notes, settle: (ending) => settle(ending), record: recordSession(run, session) };
}

describe('a session’s row', () => {
  it.each([
    [{ outcome: 'success', errorType: '', durationMs: 5 }, 'complete'],
    [{ outcome: 'error', errorType: 'stream_error', durationMs: 5 }, 'error'],
    [{ outcome: 'timeout', errorType: 'timeout', durationMs: 5 }, 'timeout'],
    [{ outcome: 'cancelled', errorType: 'client_disconnect', durationMs: 5 }, 'cancelled'],
    [{ outcome: 'cancelled', errorType: 'shutdown', durationMs: 5 }, 'interrupted'],
  ] as const)('%o is stored as %s', async (ending, status) => {
    const { record, settle, writes } = setUp(true);
    await record.keep({ verdict: 'yes' });
    settle(ending);
    await record.settled;
    expect(writes).toEqual([
      ['keep', { verdict: 'yes' }],
      ['finish', status, 5],
    ]);
  });

  it('the closing line says nothing of a row that is stored', async () => {
    const { record, notes } = setUp(true);
    await record.keep({});
    expect(notes.stored).toBeUndefined();
  });

  it('the closing line says stored: false from the begin on, and no longer once it is', async () => {
    const { record, notes, run } = setUp(false);
    expect(notes).toEqual({ stored: false });
    await record.keep({});
    expect(notes).toEqual({ stored: false });
    run.stored = true;
    await record.keep({});
    expect(notes.stored).toBeUndefined();
  });

  it('the closing line says stored: false when what was found could not be written', async () => {
    const { record, notes, run } = setUp(true);
    run.stored = false;
    await record.keep({});
    expect(notes).toEqual({ stored: false });
  });
});
