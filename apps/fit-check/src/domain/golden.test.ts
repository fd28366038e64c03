/** How well the search ranks, over queries as people type and paste them. Mend the search where one fails, not the query. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadCorpus } from './corpus.ts';
import { createCorpus } from './search.ts';

interface Golden {
  readonly kind: 'name' | 'alias' | 'misspelt' | 'role' | 'sentence' | 'pasted' | 'nothing';
  /** A pasted text is a list of its lines. */
  readonly query: string | readonly string[];
  /** Every row that a person would expect to see. */
  readonly expect: readonly string[];
  /** Any one of them will do. */
  readonly anyOf?: boolean;
  /** Rows whose name stands there and means something else: no close answer, and below what is expected. */
  readonly avoid?: readonly string[];
}

interface Judged extends Golden {
  readonly text: string;
  readonly found: readonly string[];
  /** Of those that answer closely. */
  readonly close: readonly string[];
  /** The share of the expected rows among the first five. */
  readonly recall: number;
  /** One divided by the rank of the first expected row, 0 where it is not among the first ten. */
  readonly reciprocal: number;
}

const K = 5;
/** From here on the analyst calls a source close. */
const CLOSE = 0.45;
const corpus = createCorpus();
const golden: readonly Golden[] = JSON.parse(readFileSync(new URL('./golden-queries.json', import.meta.url), 'utf8'));
const judged = golden.map(judge);
const answered = judged.filter(({ kind }) => kind !== 'nothing');
const nothing = judged.filter(({ kind }) => kind === 'nothing');

function judge(query: Golden): Judged {
  const text = typeof query.query === 'string' ? query.query : query.query.join('\n');
  const findings = corpus.search(text, 10);
  const found = findings.map((finding) => finding.id);
  const close = findings.filter(({ score }) => score >= CLOSE).map((finding) => finding.id);
  const hits = query.expect.filter((id) => found.slice(0, K).includes(id)).length;
  const wanted = query.anyOf === true ? 1 : query.expect.length;
  const rank = found.findIndex((id) => query.expect.includes(id)) + 1;
  const recall = Math.min(1, hits / Math.max(1, wanted));
  return { ...query, text, found, close, recall, reciprocal: rank === 0 ? 0 : 1 / rank };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const recallOf = (list: readonly Judged[]): number => mean(list.map(({ recall }) => recall));
const mrrOf = (list: readonly Judged[]): number => mean(list.map(({ reciprocal }) => reciprocal));

describe('the golden queries', () => {
  it('are many, of every kind, and expect rows that exist', () => {
    const { companies, jobs } = loadCorpus();
    const ids = new Set([...companies, ...jobs].map((row) => row.id));
    expect(golden.length).toBeGreaterThanOrEqual(40);
    for (const { text, kind, expect: expected, avoid = [] } of judged) {
      expect(expected.length > 0, text).toBe(kind !== 'nothing');
      for (const id of [...expected, ...avoid]) expect(ids.has(id), id).toBe(true);
    }
    const long = judged.filter(({ kind, text }) => kind === 'pasted' && text.split(/\s+/).length > 200);
    expect(long.length).toBeGreaterThanOrEqual(6);
  });

  it('are ranked well', () => {
    const empty = nothing.filter(({ found }) => found.length === 0).length;
    process.stdout.write(
      `golden set: ${golden.length} queries over ${corpus.size} rows, recall@${K} ${recallOf(answered).toFixed(3)}, ` +
        `MRR ${mrrOf(answered).toFixed(3)}, ${empty} of ${nothing.length} that have no answer got none\n`,
    );
    const weak = answered.filter(({ recall, reciprocal }) => recall < 1 || reciprocal < 1);
    const told = weak.map(({ text, found }) => `${text.slice(0, 60)}: ${found.slice(0, K).join(' ')}`).join('\n');
    expect(recallOf(answered), told).toBeGreaterThanOrEqual(0.98);
    expect(mrrOf(answered), told).toBeGreaterThanOrEqual(0.95);
  });

  it.each(['name', 'alias', 'misspelt', 'role', 'sentence', 'pasted'])(
    'are ranked well among those of kind %s',
    (kind) => {
      const own = answered.filter((query) => query.kind === kind);
      expect(own.length).toBeGreaterThanOrEqual(6);
      expect(recallOf(own)).toBeGreaterThanOrEqual(0.9);
      expect(mrrOf(own)).toBeGreaterThanOrEqual(0.9);
    },
  );

  it.each(nothing.map(({ text, found }) => [text, found] as const))('find nothing for %j', (_, found) => {
    expect(found).toEqual([]);
  });

  it('are not led astray by everyday words', () => {
    const tempted = judged.filter(({ avoid = [] }) => avoid.length > 0);
    expect(tempted.length).toBeGreaterThanOrEqual(2);
    for (const { text, found, close, avoid = [] } of tempted) {
      expect(avoid, text).not.toContain(found[0]);
      for (const id of avoid) expect(close, text).not.toContain(id);
    }
  });
});
