import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHistory, HISTORY_KEY, type HistoryEntry, type Shelf } from './history.ts';

const entry = (id: string, more: Partial<HistoryEntry> = {}): HistoryEntry => ({
  id,
  query: `Question ${id}`,
  at: '2026-11-26T09:00:00.000Z',
  status: 'complete',
  ...more,
});

function createShelf(text?: string): Shelf & { text: string | undefined } {
  const shelf = {
    text,
    getItem: () => shelf.text ?? null,
    setItem(_: string, value: string) {
      shelf.text = value;
    },
  };
  return shelf;
}

describe('the history', () => {
  it('keeps the newest first, and replaces an entry where it stands', () => {
    const history = createHistory(createShelf());
    for (const id of ['a', 'b', 'c']) history.put(entry(id, { status: 'running' }));
    history.put(entry('b', { score: 72, level: 'good' }));
    expect(history.list().map(({ id }) => id)).toEqual(['c', 'b', 'a']);
    expect(history.list()[1]).toEqual(entry('b', { score: 72, level: 'good' }));
    history.remove('c');
    expect(history.list().map(({ id }) => id)).toEqual(['b', 'a']);
    history.clear();
    expect(history.list()).toEqual([]);
  });

  it('is bounded by entries and by their size', () => {
    const shelf = createShelf();
    const history = createHistory(shelf);
    for (let at = 0; at < 200; at += 1) history.put(entry(`id-${at}`, { query: 'long '.repeat(4000) }));
    expect(history.list()).toHaveLength(50);
    expect(history.list()[0]?.id).toBe('id-199');
    expect(shelf.text?.length).toBeLessThan(20_000);
  });

  it('takes nothing for an entry that is none, whatever stands on the shelf', () => {
    const good = entry('good');
    const bad = [
      null,
      1,
      [],
      {},
      { ...good, id: '"><script>' },
      { ...good, at: 'never' },
      { ...good, status: 'new' },
      { ...good, query: 7 },
    ];
    const { list } = createHistory(
      createShelf(JSON.stringify([...bad, { ...good, score: 'many', level: '__proto__' }])),
    );
    expect(list()).toEqual([good]);
    for (const text of ['{', '"text"', 'null', '{"length": 9}'])
      expect(createHistory(createShelf(text)).list()).toEqual([]);
    fc.assert(fc.property(fc.json(), (text) => Array.isArray(createHistory(createShelf(text)).list())));
  });

  it('lives with the page where there is no shelf, or one that refuses', () => {
    const refuse = (): never => {
      throw new DOMException('no', 'QuotaExceededError');
    };
    const full = { ...createShelf(), getItem: refuse, setItem: refuse };
    for (const shelf of [undefined, full]) {
      const history = createHistory(shelf);
      history.put(entry('a'));
      expect(history.list().map(({ id }) => id)).toEqual(['a']);
    }
  });

  it('sees what another tab wrote', () => {
    const shelf = createShelf();
    const [mine, other] = [createHistory(shelf), createHistory(shelf)];
    mine.put(entry('a'));
    other.put(entry('b'));
    mine.put(entry('c'));
    expect(mine.list().map(({ id }) => id)).toEqual(['c', 'b', 'a']);
    expect(HISTORY_KEY).toBe('fit-check.history');
  });
});
