import { describe, expect, it } from 'vitest';
import type { CorpusEntry } from './entries.ts';
import { createWordIndex } from './word-index.ts';

const entry = (id: string, summary: string, more: Partial<CorpusEntry> = {}): CorpusEntry => ({
  finding: { id, kind: 'company', title: id, summary, skills: ['nodejs'], source: 'x' },
  names: [{ text: id }],
  industry: 'Trade',
  places: ['Johnston'],
  ...more,
});
const index = createWordIndex([
  entry('alpha', 'Builds wind turbines at sea.'),
  entry('beta', 'Builds railway bridges.'),
  entry('delta', 'Builds boats.', { places: ['Malmö', 'Sweden'] }),
  entry('gamma', 'Builds ships.', { names: [{ text: 'visa', means: 'word' }, { text: 'Royal Visa Gamma' }] }),
]);
const found = (query: string) => [...index.scoreQuery(query).keys()];

describe('words of a short query', () => {
  it('find rows by any field, plural or not, with slips and from the beginning of a word', () => {
    expect(found('turbine')).toEqual(['alpha']);
    expect(found('bridges')).toEqual(['beta']);
    expect(found('turbnes')).toEqual(['alpha']);
    expect(found('rail')).toEqual(['beta']);
    expect(found('node.js')).toHaveLength(4);
    expect(found('johnston')).toHaveLength(3);
  });

  it('find a country by who is of it', () => {
    expect(found('swedish trade')).toEqual(found('sweden trade'));
    expect([...index.scoreQuery('swedish').keys()]).toEqual(['delta']);
  });

  it('count for more the rarer they are', () => {
    const scores = index.scoreQuery('builds turbines');
    expect(scores.get('alpha')).toBeCloseTo(1);
    expect(scores.get('beta') ?? 0).toBeLessThan(0.4);
  });

  it('find nothing where most of the query is unheard of, or says nothing', () => {
    expect(found('builds spaceships from marzipan')).toEqual([]);
    expect(found('hello, who are you?')).toEqual([]);
    expect(found('')).toEqual([]);
  });

  it('take neither a slip of a town for a hit nor an everyday word for a name', () => {
    expect(found('johnson')).toEqual([]);
    expect(found('visa')).toEqual([]);
    expect(found('royal')).toEqual(['gamma']);
  });
});

describe('words of a pasted text', () => {
  it('find the rows that share what it repeats', () => {
    const scores = index.scoreText('Our turbines turn in the wind. Wind is free, turbines are not. Some ships help.');
    expect([...scores].sort(([, a], [, b]) => b - a)[0]?.[0]).toBe('alpha');
    expect([...index.scoreText('Nothing of this is known.')]).toEqual([]);
  });
});

it('knows the words of its own prose', () => {
  for (const word of ['turbine', 'bridges', 'trade', 'johnston', 'hello', 'the'])
    expect(index.knows(word), word).toBe(true);
  for (const word of ['alpha', 'royal', 'marzipan']) expect(index.knows(word), word).toBe(false);
});
