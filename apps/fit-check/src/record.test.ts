import type { Ending, Session } from 'binnacle';
import { observe } from 'binnacle';
import { afterEach, describe, expect, it } from 'vitest';
import { recordSession } from './record.ts';
import { openStore, type SessionStore } from './store.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function setUp(store: SessionStore): {
  notes: object[];
  lines: string[];
  settle: (ending: Ending) => void;
  record: ReturnType<typeof recordSession>;
} {
  const lines: string[] = [];
  const obs = observe({
    service: 'test',
    env: { LOG_FORMAT: 'json' },
    destination: { write: (line) => lines.push(line) },
  });
  closers.push(() => obs.close());
  let settle: (ending: Ending) => void = () => {};
  const notes: object[] = [];
  const session: Session = {
    id: 's1',
    signal: new AbortController().signal,
    settled: new Promise((resolve) => {
      settle = resolve;
    }),
    phase: () => Promise.reject(new Error('not asked for')),
    note: (fields) => void notes.push(fields),
  };
  return { notes, lines, settle, record: recordSession(obs, store, session) };
}

describe('a session’s row', () => {
  it.each([
    [{ outcome: 'success', errorType: '', durationMs: 5 }, 'complete'],
    [{ outcome: 'error', errorType: 'stream_error', durationMs: 5 }, 'error'],
    [{ outcome: 'timeout', errorType: 'timeout', durationMs: 5 }, 'timeout'],
    [{ outcome: 'cancelled', errorType: 'client_disconnect', durationMs: 5 }, 'cancelled'],
    [{ outcome: 'cancelled', errorType: 'shutdown', durationMs: 5 }, 'interrupted'],
  ] as const)('%o is stored as %s', async (ending, status) => {
    const store = await openStore(':memory:');
    closers.push(() => store.close());
    const { record, settle } = setUp(store);
    await record.keep({ verdict: 'yes' });
    expect(await store.get('s1')).toMatchObject({ status: 'running', analysis: { verdict: 'yes' } });
    settle(ending);
    await record.settled;
    expect(await store.get('s1')).toMatchObject({ status, duration_ms: 5 });
  });

  it('a database that fails costs the row and one line, and throws at nobody', async () => {
    const broken = (): Promise<never> => Promise.reject(Object.assign(new Error('disk full'), { code: 'SQLITE_FULL' }));
    const store: SessionStore = {
      ping: broken,
      begin: broken,
      keep: broken,
      finish: broken,
      get: broken,
      close: async () => {},
    };
    const { record, settle, notes, lines } = setUp(store);
    await record.keep({});
    settle({ outcome: 'success', errorType: '', durationMs: 5 });
    await record.settled;
    expect(notes).toEqual([{ stored: false }]);
    expect(lines.filter((line) => line.includes('could not be stored'))).toHaveLength(1);
  });
});

describe('the store', () => {
  it('marks what a crash left running, and reads nothing of an unknown id', async () => {
    const { mkdtempSync, rmSync } = await import('node:fs');
    const { tmpdir } = await import('node:os');
    const { join } = await import('node:path');
    const folder = mkdtempSync(join(tmpdir(), 'store-'));
    closers.push(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'deep', 'er', 'fit-check.db');
    const first = await openStore(path);
    await first.begin('left');
    await first.begin('done');
    await first.finish('done', 'complete', 3);
    await first.close();
    const second = await openStore(path);
    closers.push(() => second.close());
    expect(await second.get('left')).toMatchObject({ status: 'interrupted', analysis: null });
    expect(await second.get('done')).toMatchObject({ status: 'complete' });
    expect(await second.get('none')).toBeUndefined();
  });
});
